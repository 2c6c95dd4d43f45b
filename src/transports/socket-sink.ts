import { once } from "node:events";
import type { Writable } from "node:stream";
import type { Encoding } from "../broker/encoding.ts";
import type { Sink } from "../broker/subscriber.ts";

/** Bytes to one peer, and when the last of them left. */
export class SocketSink implements Sink {
  readonly encoding: Encoding;
  readonly #outlet: Writable;
  readonly #isOpen: () => boolean;
  #lastSentAt = performance.now();

  /** @param options `isOpen`: whether the protocol still allows anything to be sent. @default as long as the outlet does */
  constructor(
    encoding: Encoding,
    outlet: Writable,
    { isOpen = () => true }: { isOpen?: () => boolean } = {},
  ) {
    this.encoding = encoding;
    this.#outlet = outlet;
    this.#isOpen = isOpen;
  }

  /** Counts from the stream's own high-water mark on: below it Node never says `drain`, and a wait would not end. */
  get unsentBytes(): number {
    return this.#outlet.writableNeedDrain ? this.#outlet.writableLength : 0;
  }

  /** When something was last written, by `performance.now()`. */
  get lastSentAt(): number {
    return this.#lastSentAt;
  }

  write(bytes: Uint8Array): void {
    if (this.#outlet.destroyed || !this.#isOpen()) return;
    this.#outlet.write(bytes);
    this.#lastSentAt = performance.now();
  }

  async drained(signal: AbortSignal): Promise<void> {
    if (this.unsentBytes === 0) return;
    // It rejects only when the signal aborts: the connection is over, which its owner knows already.
    await once(this.#outlet, "drain", { signal }).catch(() => {});
  }
}
