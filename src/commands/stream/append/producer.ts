import { randomUUID } from "node:crypto";

import type { Answer } from "../../target/call.ts";
import { requestStream } from "../exchange.ts";
import type { StreamPlace } from "../place.ts";
import { toStreamState } from "../stream-state.ts";

interface ProducerOptions {
  /** Finds the stream, anew for each attempt: after a restart its server may listen elsewhere. */
  readonly locate: () => Promise<StreamPlace>;
  readonly mediaType: string;
  /** Repeats an attempt while what fails it may pass. */
  readonly retry: <T>(attempt: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/**
 * An idempotent producer with an identity of its own: an append whose answer was lost is sent again under the same
 * number, and the server stores it once. One append is under way at a time, so none can overtake another.
 *
 * @see PROTOCOL.md, section 5.2.1
 */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #id = `chanctl-${randomUUID()}`;
  #seq = 0;
  #nextOffset: string | undefined;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /** The tail after the last append that was acknowledged; `undefined` before the first. */
  get nextOffset(): string | undefined {
    return this.#nextOffset;
  }

  /** How many appends were acknowledged; a closing one counts. */
  get count(): number {
    return this.#seq;
  }

  /**
   * Appends, and resolves when it is durable.
   *
   * @throws {ChanctlError} `stream_closed`, `media_type_mismatch`, `too_big`, … or `cannot_connect`, when it was
   *   tried for long enough.
   */
  append(body: Buffer): Promise<void> {
    return this.#send(body, { "content-type": this.#options.mediaType });
  }

  /** Closes the stream. */
  close(): Promise<void> {
    return this.#send(Buffer.alloc(0), { "stream-closed": "true" });
  }

  async #send(body: Buffer, more: Readonly<Record<string, string>>): Promise<void> {
    const { locate, retry, signal } = this.#options;
    const headers = {
      ...more,
      "producer-id": this.#id,
      "producer-epoch": "0",
      "producer-seq": String(this.#seq),
    };
    const answer = await retry<Answer>(async () =>
      requestStream(await locate(), { method: "POST", headers, body, signal }),
    );
    this.#seq += 1;
    this.#nextOffset = toStreamState(answer.headers).nextOffset;
  }
}
