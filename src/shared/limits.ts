import { didYouMean } from "./did-you-mean.ts";
import { ChanctlError } from "./errors.ts";

/** Everything that a client can make grow, and how far. Limits on clients do not bind the internal listener. */
export interface Limits {
  /** The data of one message, in bytes. @default 64 KiB */
  readonly maxMessageBytes: number;
  /** All params of a URL together, in bytes. @default 2 KiB */
  readonly maxParamsBytes: number;
  /** The body of one publish, in bytes. @default 1 MiB */
  readonly maxPublishBytes: number;
  /** The bodies of all requests under way, in bytes; not of those that go to the app. @default 256 MiB */
  readonly maxBodyBytesTotal: number;
  /** Messages in one publish. @default 1,000 */
  readonly maxBatchMessages: number;
  /** Subscribers in all. @default 10,000 */
  readonly maxConnections: number;
  /** Subscribers of one subject. @default 100 */
  readonly maxConnectionsPerSubject: number;
  /** Subscribers from one address, of those without a subject. @default 1,000 */
  readonly maxConnectionsPerAddress: number;
  /**
   * Messages that one connection of a client publishes a second. A batch counts as many as it has, and is let in as
   * long as one is left: the next publish waits until the rest is paid. @default 50
   */
  readonly maxPublishesPerSec: number;
  /** Messages that a connection may save up. @default 100 */
  readonly publishBurst: number;
  /** Authorize calls to the app under way at once; and as many on-publish calls. @default 256 */
  readonly maxAuthorizeCalls: number;
  /** Bytes written to one subscriber and not yet taken by its socket. @default 1 MiB */
  readonly maxUnsentBytes: number;
  /** The same for all subscribers together. @default 256 MiB */
  readonly maxUnsentBytesTotal: number;
  /** The head of one request, in bytes. @default 16 KiB */
  readonly maxHeaderBytes: number;
  /** How long a WebSocket may take to send its `auth` frame, in ms. @default 5 s */
  readonly authFrameWaitMs: number;
  /** How long TLS and the request's head may take, in ms. @default 10 s */
  readonly handshakeTimeoutMs: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

export const DEFAULT_LIMITS: Limits = {
  maxMessageBytes: 64 * KIB,
  maxParamsBytes: 2 * KIB,
  maxPublishBytes: MIB,
  maxBodyBytesTotal: 256 * MIB,
  maxBatchMessages: 1_000,
  maxConnections: 10_000,
  maxConnectionsPerSubject: 100,
  maxConnectionsPerAddress: 1_000,
  maxPublishesPerSec: 50,
  publishBurst: 100,
  maxAuthorizeCalls: 256,
  maxUnsentBytes: MIB,
  maxUnsentBytesTotal: 256 * MIB,
  maxHeaderBytes: 16 * KIB,
  authFrameWaitMs: 5_000,
  handshakeTimeoutMs: 10_000,
};

/** The names of all limits. */
export const LIMIT_KEYS: readonly (keyof Limits)[] = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];

/**
 * Fills the defaults of the config's `limits` and checks them.
 *
 * @throws {ChanctlError} `config_invalid` naming the limit and what came.
 */
export function resolveLimits(given: Readonly<Record<string, unknown>> = {}): Limits {
  for (const key of Object.keys(given)) {
    if (key in DEFAULT_LIMITS) continue;
    const near = didYouMean(key, LIMIT_KEYS);
    throw new ChanctlError("config_invalid", `unknown limit \`limits.${key}\``, {
      hint:
        near === undefined ? `the limits are ${LIMIT_KEYS.join(", ")}` : `did you mean \`limits.${near}\`?`,
    });
  }
  const resolved: Record<keyof Limits, number> = { ...DEFAULT_LIMITS };
  for (const key of LIMIT_KEYS) {
    const value = given[key];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
      throw new ChanctlError(
        "config_invalid",
        `\`limits.${key}\` must be a positive whole number, got \`${JSON.stringify(value)}\``,
        { hint: `${key}: ${DEFAULT_LIMITS[key]}     what it is when left out` },
      );
    }
    resolved[key] = value;
  }
  return resolved;
}
