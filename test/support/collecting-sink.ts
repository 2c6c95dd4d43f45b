import { EventEmitter, once } from "node:events";
import { SSE_ENCODING } from "#src/broker/encoding.ts";
import type { Encoding } from "#src/broker/encoding.ts";
import type { Sink } from "#src/broker/subscriber.ts";
import { decodeMessages } from "./decode-messages.ts";

export interface CollectingSinkOptions {
  readonly encoding?: Encoding;
  /** Whether its peer reads only when `drain` is called. @default false: bytes are gone at once */
  readonly isStalled?: boolean;
}

/** A connection whose peer keeps every message. */
export class CollectingSink implements Sink {
  readonly encoding: Encoding;
  readonly messages: { id: string; data: unknown }[] = [];
  writes = 0;
  unsentBytes = 0;
  readonly #isStalled: boolean;
  readonly #peer = new EventEmitter();

  constructor({ encoding = SSE_ENCODING, isStalled = false }: CollectingSinkOptions = {}) {
    this.encoding = encoding;
    this.#isStalled = isStalled;
  }

  get ids(): string[] {
    return this.messages.map(({ id }) => id);
  }

  write(bytes: Buffer): void {
    this.writes += 1;
    if (this.#isStalled) this.unsentBytes += bytes.length;
    for (const json of decodeMessages(this.encoding, bytes)) this.messages.push(JSON.parse(json));
  }

  /** The peer reads all that was written. */
  drain(): void {
    this.unsentBytes = 0;
    this.#peer.emit("drained");
  }

  async drained(signal: AbortSignal): Promise<void> {
    await once(this.#peer, "drained", { signal }).catch(() => {}); // resolves on an abort, too
  }
}
