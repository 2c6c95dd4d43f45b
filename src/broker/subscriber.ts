import type { Offset } from "../protocol/offset.ts";
import type { Encoding } from "./encoding.ts";
import type { LiveReader, LiveStream, StreamEnding } from "./live-stream.ts";
import type { Pages } from "./pages.ts";

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
  readonly pages: Pages;
  readonly position: Offset;
  /** Messages older than this may not be read, in ms since 1970; asked again for every page. */
  readonly notBefore: () => number;
  /** Whether too many bytes wait for its socket: it is then no longer pushed to. */
  readonly isOverBudget: () => boolean;
}

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
   * Follows the stream until it is over or the signal aborts.
   *
   * @returns `"gone"` if it fell out of its replay window, why the stream is over, or `"aborted"`.
   */
  async run(signal: AbortSignal): Promise<"gone" | "aborted" | StreamEnding> {
    const { sink, stream } = this.#options;
    while (!signal.aborted) {
      const ending = stream.endingAt(this.#position);
      if (ending !== undefined) return ending;
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
      if ((await this.#readPage(signal)) === "gone") return stream.endingAt(this.#position) ?? "gone";
    }
    return "aborted";
  }

  #readPage(signal: AbortSignal): Promise<"gone" | "read" | undefined> {
    const { stream, pages, notBefore } = this.#options;
    const { path, incarnation } = stream;
    const request = { path, incarnation, after: this.#position, encoding: this.encoding, notBefore, signal };
    return pages.read(request, (page) => {
      if (page.kind === "gone") return "gone";
      if (page.kind === "end") return "read";
      if (page.bytes.length > 0) this.#write(page.bytes, page.end);
      // Nobody can be sent it alone: the window takes it back, and brings it with what comes next. This reader attaches
      // before the next flush, for a window that is short of room keeps it for live readers only.
      if (page.leftover !== undefined) stream.hold(page.leftover, this.#position.position);
      return "read";
    });
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
