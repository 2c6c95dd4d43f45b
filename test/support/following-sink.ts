import { EventEmitter, once } from "node:events";
import type { Encoding } from "#src/broker/encoding.ts";
import type { Sink } from "#src/broker/subscriber.ts";
import { SseParser } from "#src/protocol/sse-parser.ts";
import { encodeOffset } from "#src/protocol/offset.ts";
import { offsetOf } from "./stream-model.ts";
import type { ModelStream } from "./stream-model.ts";

export interface FollowingSinkOptions {
  /** What is followed, as the model has it. */
  readonly stream: ModelStream;
  readonly encoding: Encoding;
  readonly isText: boolean;
  /** Where the reader begins. */
  readonly start: number;
  readonly maxUnsentBytes: number;
  /** Takes what went wrong, in words. */
  readonly onViolation: (what: string) => void;
  readonly onDelivered: () => void;
}

/** A connection that holds every event to the model: in order, nothing missing, nothing twice, no character torn. */
export class FollowingSink implements Sink {
  readonly encoding: Encoding;
  readonly stream: ModelStream;
  readonly #options: FollowingSinkOptions;
  #position: number;
  #unsentBytes = 0;
  readonly #peer = new EventEmitter();

  constructor(options: FollowingSinkOptions) {
    this.encoding = options.encoding;
    this.stream = options.stream;
    this.#options = options;
    this.#position = options.start;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get isSlow(): boolean {
    return this.#unsentBytes > this.#options.maxUnsentBytes;
  }

  /** Where the last control event said that it is. */
  get position(): number {
    return this.#position;
  }

  /** Whether it waits for the end of a character. */
  get isHolding(): boolean {
    return this.#position < this.stream.units.length;
  }

  /** Whether there is something that it could have been sent. */
  isBehind({ isClosed }: { isClosed: boolean }): boolean {
    const rest = Buffer.from(this.stream.units.slice(this.#position) as number[]);
    if (rest.length === 0) return false;
    if (isClosed || !this.#options.isText) return true;
    // Half a character decodes to one replacement, with nothing before it.
    return rest.toString() !== "\uFFFD" || rest.length > 3;
  }

  write(bytes: Buffer): void {
    const { onViolation, onDelivered } = this.#options;
    if (this.isSlow) onViolation("a reader over its budget was written to");
    this.#unsentBytes += bytes.length;
    let data: string | undefined;
    for (const item of new SseParser().push(bytes.toString())) {
      if (item.kind !== "event") onViolation(`got a ${item.kind}`);
      else if (item.type === "data") {
        if (data !== undefined) onViolation("two data events without a control event between them");
        data = item.data;
      } else {
        this.#takeControl(item.data, data);
        data = undefined;
        onDelivered();
      }
    }
    if (data !== undefined) onViolation("a data event without a control event after it");
  }

  #takeControl(control: string, data: string | undefined): void {
    const { isText, onViolation } = this.#options;
    const { streamNextOffset } = JSON.parse(control) as { streamNextOffset: string };
    const { units, isJson } = this.stream;
    const to = Number(streamNextOffset.split("_")[1]);
    const expected = encodeOffset(offsetOf(this.stream, to));
    if (streamNextOffset !== expected) return onViolation(`expected ${expected}, got ${streamNextOffset}`);
    const slice = units.slice(this.#position, to);
    const bytes = Buffer.from(isJson ? [] : (slice as number[]));
    const mayBeTorn = this.stream.isClosed && to === units.length;
    if (isText && !mayBeTorn && !isWhole(bytes))
      return onViolation(`half a character from ${this.#position} to ${to}`);
    const content = isJson ? `[${slice.join()}]` : isText ? bytes.toString() : bytes.toString("base64");
    const got = isText || isJson ? data : data?.replaceAll("\n", "");
    if (got !== content)
      return onViolation(
        `from ${this.#position} to ${to} expected ${JSON.stringify(content)}, got ${JSON.stringify(got)}`,
      );
    this.#position = to;
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

/** Whether bytes are characters and nothing else. */
function isWhole(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}
