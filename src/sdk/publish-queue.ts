import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

interface PublishQueueOptions {
  /** Stores the messages of a body together, retrying for `timeoutMs`; resolves with their ids. */
  readonly send: (body: string, options: { readonly timeoutMs: number }) => Promise<readonly string[]>;
  /** How long a message is tried for, counted from its call, in ms. */
  readonly timeoutMs: number;
  /** Called when nothing is left to send. */
  readonly onIdle: () => void;
}

interface Waiting {
  /** JSON of the message, as it was at the call. */
  readonly json: string;
  /** Until when to try, by `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (id: string) => void;
  readonly reject: (error: unknown) => void;
}

/** Well below the broker's own bounds, so that a batch is never too big as such. */
const MAX_BATCH_MESSAGES = 500;
const MAX_BATCH_CHARACTERS = 256 * 1_024;

/** The answers that mean: nothing of this batch is stored, for something is wrong with one of its messages. */
const FAULTY: ReadonlySet<ErrorCode> = new Set(["message_invalid", "malformed", "too_big"]);

/**
 * The single messages on their way to one stream, stored in the order of the calls.
 *
 * What is called while a POST is under way, or in one turn of the event loop, travels in the next POST together:
 * a POST costs far more than a message. Each is stored, or refused, as if it had travelled alone.
 */
export class PublishQueue {
  readonly #options: PublishQueueOptions;
  readonly #waiting: Waiting[] = [];
  #isSending = false;

  constructor(options: PublishQueueOptions) {
    this.#options = options;
  }

  /** Resolves with the message's id, once it is durable. */
  publish(message: unknown): Promise<string> {
    const json = JSON.stringify(message);
    const deadline = performance.now() + this.#options.timeoutMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ json, deadline, resolve, reject });
      if (this.#isSending) return;
      this.#isSending = true;
      queueMicrotask(() => void this.#sendAll());
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#send(this.#takeBatch());
    this.#isSending = false;
    this.#options.onIdle();
  }

  #takeBatch(): Waiting[] {
    let characters = 0;
    const end = this.#waiting.findIndex(({ json }, index) => {
      characters += json.length;
      return index === MAX_BATCH_MESSAGES || (index > 0 && characters > MAX_BATCH_CHARACTERS);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const [first, ...others] = batch;
    if (first === undefined) return;
    const body = others.length === 0 ? first.json : `[${batch.map(({ json }) => json).join(",")}]`;
    try {
      const ids = await this.#options.send(body, { timeoutMs: first.deadline - performance.now() });
      for (const [index, { resolve, reject }] of batch.entries()) {
        const id = ids[index];
        if (id === undefined) reject(tooFewIds(batch.length, ids.length));
        else resolve(id);
      }
    } catch (error) {
      const isFaulty = error instanceof ChanctlError && FAULTY.has(error.code);
      if (!isFaulty || others.length === 0) return this.#giveUp(batch, error);
      // Its key stored nothing, so the halves may go under keys of their own: the good ones arrive, the bad one is found.
      const half = Math.ceil(batch.length / 2);
      await this.#send(batch.slice(0, half));
      await this.#send(batch.slice(half));
    }
  }

  /** Whoever waits behind it and has had his time is not made to wait for another attempt. */
  #giveUp(batch: readonly Waiting[], error: unknown): void {
    const now = performance.now();
    const end = this.#waiting.findIndex(({ deadline }) => deadline > now);
    const expired = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    for (const { reject } of [...batch, ...expired]) reject(error);
  }
}

function tooFewIds(expected: number, came: number): ChanctlError {
  return new ChanctlError("internal", `the broker must answer with ${expected} ids, got ${came}`, {
    hint: "check that `CHANCTL_URL` is the broker's",
  });
}
