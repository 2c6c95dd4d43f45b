import { setImmediate as nextTurn } from "node:timers/promises";
import type { Offset } from "../protocol/offset.ts";
import { encodePage } from "./encoding.ts";
import type { Encoding } from "./encoding.ts";
import type { LiveReader, LiveStream } from "./live-stream.ts";
import type { Reader } from "./reader.ts";

/** Where a subscriber's bytes go: a connection. */
export interface Sink {
  readonly encoding: Encoding;
  /** Bytes written and not yet taken by the socket. */
  readonly unsentBytes: number;
  /** Writes bytes, which it MUST NOT change: they are shared. MUST NOT throw when the peer is gone. */
  write(bytes: Buffer): void;
  /** Resolves when the socket has taken all bytes, or the signal aborts. MUST NOT reject. */
  drained(signal: AbortSignal): Promise<void>;
}

export interface SubscriberOptions {
  readonly sink: Sink;
  readonly stream: LiveStream;
  readonly reader: Pick<Reader, "page">;
  readonly position: Offset;
  /** Messages older than this may not be read, in ms since 1970; asked again for every page. */
  readonly notBefore: () => number;
  /** Whether too many bytes wait for its socket: it is then no longer pushed to. */
  readonly isOverBudget: () => boolean;
}

/** One page of replay: small enough that nobody else waits long for it. */
const PAGE = { maxMessages: 500, maxBytes: 256 * 1_024 };

/**
 * A reader that follows a stream: pages from the log until the hub's window covers its position, then live.
 *
 * ```
 *            ┌────────── too slow ──────────┐
 *            ▼                              │
 *   ── reading pages ── window covers it ── live ──
 *            │
 *            └── what it lacks was pruned: gone
 * ```
 *
 * A slow one is neither dropped nor buffered without bound: it goes back to the log and comes live again.
 */
export class Subscriber implements LiveReader {
  readonly #options: SubscriberOptions;
  #position: Offset;
  #onDetached: (() => void) | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  get encoding(): Encoding {
    return this.#options.sink.encoding;
  }

  get position(): Offset {
    return this.#position;
  }

  get notBefore(): number {
    return this.#options.notBefore();
  }

  deliver(bytes: Buffer, position: Offset): boolean {
    this.#write(bytes, position);
    return !this.#isSlow();
  }

  detached(): void {
    this.#onDetached?.();
  }

  /**
   * Follows the stream until the signal aborts.
   *
   * @returns `"gone"` if it fell out of its replay window, `"aborted"` otherwise.
   */
  async run(signal: AbortSignal): Promise<"gone" | "aborted"> {
    const { sink, stream, reader, notBefore } = this.#options;
    while (!signal.aborted) {
      if (this.#isSlow()) {
        await sink.drained(signal);
        continue;
      }
      if (stream.attach(this)) {
        await this.#untilDetached(signal);
        stream.detach(this);
        continue;
      }
      if (this.#isSlow()) continue;
      const page = reader.page(stream.path, { after: this.#position, notBefore: notBefore(), ...PAGE });
      if (page.kind === "gone") return "gone";
      if (page.kind === "messages") {
        const { incarnation, messages } = page;
        const last = messages.at(-1);
        if (last !== undefined) {
          this.#write(encodePage(this.encoding, incarnation, messages), {
            incarnation,
            position: last.position,
          });
        }
      }
      await nextTurn();
    }
    return "aborted";
  }

  #write(bytes: Buffer, position: Offset): void {
    this.#options.sink.write(bytes);
    this.#position = position;
  }

  #isSlow(): boolean {
    return this.#options.isOverBudget();
  }

  #untilDetached(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const settle = (): void => {
        signal.removeEventListener("abort", settle);
        this.#onDetached = undefined;
        resolve();
      };
      this.#onDetached = settle;
      signal.addEventListener("abort", settle, { once: true });
    });
  }
}
