import type { AuthorizeRequest } from "../protocol/app-call.ts";
import { clip } from "../shared/clip.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";

/** A connection, a publish or a request that was refused. */
export interface Refusal {
  readonly error: ChanctlError;
  /** As the URL names it, whether there is one or not; absent where none was looked for. */
  readonly channel?: string;
  readonly address: string;
  readonly transport: AuthorizeRequest["transport"];
}

/** What has come since the last line about a code and limit. */
interface Held {
  count: number;
  last: Refusal | undefined;
  readonly timer: NodeJS.Timeout;
}

const LINE_INTERVAL_MS = 1_000;

/**
 * Tells the log who was refused, and why: of each code and limit the first at once, those of the next second together in one
 * line, and so on. A flood of refusals is not a flood of the log (CWE-779).
 *
 * Most errors quote what the client sent, which may be a token in the wrong place: the log gets their title, and only
 * of failures of the server's own the message (CWE-532).
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Counts a refusal. One that says "come back" to whoever was let in is none. */
  note(refusal: Refusal): void {
    const { error } = refusal;
    if (error.isResumable) return;
    const kind = `${error.code} ${error.limit ?? ""}`;
    const held = this.#held.get(kind);
    if (held === undefined) {
      this.#hold(kind);
      this.#tell(refusal, 1);
    } else {
      held.count += 1;
      held.last = refusal;
    }
  }

  /** Tells what is still held. */
  close(): void {
    for (const [kind, { timer, count, last }] of this.#held) {
      clearTimeout(timer);
      this.#held.delete(kind);
      if (last !== undefined) this.#tell(last, count);
    }
  }

  #hold(kind: string): void {
    const timer = setTimeout(() => this.#release(kind), LINE_INTERVAL_MS);
    timer.unref();
    this.#held.set(kind, { count: 0, last: undefined, timer });
  }

  #release(kind: string): void {
    const held = this.#held.get(kind);
    this.#held.delete(kind);
    if (held?.last === undefined) return;
    this.#hold(kind);
    this.#tell(held.last, held.count);
  }

  #tell({ error, channel: name, address, transport }: Refusal, count: number): void {
    const channel = name === undefined ? undefined : clip(name);
    const { code, title, status, limit, hint } = error;
    const isOurs = status >= 500;
    const why = isOurs ? error.message : limit === undefined ? title : `${title} (limits.${limit})`;
    const times = count === 1 ? "" : ` (${count} times in the last second)`;
    this.#logger({
      level: isOurs || limit !== undefined ? "warn" : "info",
      event: "refused",
      message: `refused ${channel ?? "a request"} to ${address}: ${why}${times}`,
      fields: { code, channel, address, transport, count, limit, hint },
    });
  }
}
