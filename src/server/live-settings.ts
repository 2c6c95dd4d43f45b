import type { ServerOptions } from "./options.ts";

/** The settings that a running server can take over from a changed config. */
export type LiveOptions = Pick<
  ServerOptions,
  "allowedHosts" | "allowedOrigins" | "authorizeRetryMs" | "limits" | "durableStreams"
>;

/** Node's HTTP parser and the semaphores of calls are made with these. */
const FIXED_LIMITS: ReadonlySet<string> = new Set([
  "limits.maxHeaderBytes",
  "limits.handshakeTimeoutMs",
  "limits.maxAuthorizeCalls",
]);

/** What the routes are made with. */
const FIXED_STREAMS: ReadonlySet<string> = new Set(["durableStreams.enabled", "durableStreams.path"]);

/**
 * Whether a running server takes this setting over.
 *
 * @param key its place in the config: `limits.maxMessageBytes`.
 */
export function isLive(key: string): boolean {
  if (key.startsWith("limits.")) return !FIXED_LIMITS.has(key);
  if (key.startsWith("durableStreams.")) return !FIXED_STREAMS.has(key);
  return key === "allowedHosts" || key === "allowedOrigins" || key === "authorizeRetryMs";
}

/**
 * The settings of a running server that its config may change.
 *
 * Whoever is given one of these objects looks at it each time: what changes is within them, so that nobody has to be
 * told. A list of listeners was rejected: whoever forgot to listen would serve by two configs at once.
 */
export class LiveSettings {
  /** What the parts of the server are given. */
  readonly parts: Omit<LiveOptions, "authorizeRetryMs">;
  #authorizeRetryMs: number;

  constructor({ limits, allowedHosts, allowedOrigins, durableStreams, authorizeRetryMs }: LiveOptions) {
    this.parts = {
      limits: { ...limits },
      ...(allowedHosts === undefined ? {} : { allowedHosts: [...allowedHosts] }), // absent: never checked
      allowedOrigins: [...allowedOrigins],
      durableStreams: durableStreams && { ...durableStreams },
    };
    this.#authorizeRetryMs = authorizeRetryMs;
  }

  get authorizeRetryMs(): number {
    return this.#authorizeRetryMs;
  }

  /** Takes over what `isLive`; the rest stays as it was. In one turn: no request meets half of it. */
  apply({ limits, allowedHosts = [], allowedOrigins, durableStreams, authorizeRetryMs }: LiveOptions): void {
    const { parts } = this;
    if (parts.allowedHosts !== undefined) replace(parts.allowedHosts, allowedHosts);
    Object.assign(
      parts.limits,
      pick(limits, (name) => isLive(`limits.${name}`)),
    );
    replace(parts.allowedOrigins, allowedOrigins);
    if (parts.durableStreams !== undefined && durableStreams !== undefined) {
      Object.assign(
        parts.durableStreams,
        pick(durableStreams, (name) => name !== "path"),
      );
    }
    this.#authorizeRetryMs = authorizeRetryMs;
  }
}

function pick(from: object, isWanted: (name: string) => boolean): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => isWanted(name)));
}

function replace(list: readonly string[], next: readonly string[]): void {
  Object.assign(list, next, { length: next.length });
}
