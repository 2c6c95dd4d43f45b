import { EventEmitter, once } from "node:events";
import type { Encoding } from "#src/broker/encoding.ts";
import type { Sink } from "#src/broker/subscriber.ts";
import { encodeOffset } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import { decodeMessages } from "./decode-messages.ts";
import type { SimulatedLog } from "./handover-log.ts";

export interface SimulatedSinkOptions {
  readonly log: SimulatedLog;
  readonly encoding: Encoding;
  /** Where the subscriber begins. */
  readonly start: Offset;
  readonly maxUnsentBytes: number;
  /** Takes what went wrong, in words. */
  readonly onViolation: (what: string) => void;
  readonly onDelivered: () => void;
}

/** A connection that holds every message to the log: in order, none missing, none twice, none before its commit. */
export class SimulatedSink implements Sink {
  readonly encoding: Encoding;
  readonly #options: SimulatedSinkOptions;
  #last: Offset;
  #unsentBytes = 0;
  readonly #peer = new EventEmitter();

  constructor(options: SimulatedSinkOptions) {
    this.encoding = options.encoding;
    this.#options = options;
    this.#last = options.start;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Whether the peer has more to read than the subscriber may leave unsent. */
  get isSlow(): boolean {
    return this.#unsentBytes > this.#options.maxUnsentBytes;
  }

  /** The last message that it got, or where it began. */
  get last(): Offset {
    return this.#last;
  }

  write(bytes: Buffer): void {
    const { log, onViolation, onDelivered } = this.#options;
    if (this.isSlow) onViolation("a subscriber over its budget was written to");
    this.#unsentBytes += bytes.length;
    for (const json of decodeMessages(this.encoding, bytes)) {
      const expected = log.next(this.#last);
      if (expected === undefined) return onViolation(`got ${json}, which is not committed`);
      const body = log.bodyAt(expected);
      if (json !== body) return onViolation(`expected ${encodeOffset(expected)}, got ${json}`);
      this.#last = expected;
      onDelivered();
    }
  }

  /** The peer reads all that was written. */
  drain(): void {
    this.#unsentBytes = 0;
    this.#peer.emit("drained");
  }

  async drained(signal: AbortSignal): Promise<void> {
    await once(this.#peer, "drained", { signal }).catch(() => {}); // resolves on an abort, too
  }
}
