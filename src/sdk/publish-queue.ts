import { formatDuration } from "../shared/duration.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

interface PublishQueueOptions {
  /** Stores the messages of a body together; resolves with their ids. */
  readonly send: (body: string, options: SendOptions) => Promise<readonly string[]>;
  /** How long a message is tried for, counted from its call, in ms. */
  readonly timeoutMs: number;
  /** Called when nothing is left to send. */
  readonly onIdle: () => void;
}

interface SendOptions {
  /** For how long to try, in ms. */
  readonly timeoutMs: number;
  /** Told why an attempt has failed that is followed by another. */
  readonly onFailure: (error: ChanctlError) => void;
}

interface Waiting {
  /** JSON of the message, as it was at the call. */
  readonly json: string;
  /** Until when to try, by `performance.now()`. */
  readonly deadline: number;
  /** Gives up, at the deadline. */
  readonly timer: NodeJS.Timeout;
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
 * a POST costs far more than a message. Each is stored, refused or given up as if it had travelled alone.
 */
export class PublishQueue {
  readonly #options: PublishQueueOptions;
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  /** Why the last attempt failed, where it did. */
  #failure: ChanctlError | undefined;

  constructor(options: PublishQueueOptions) {
    this.#options = options;
  }

  /** Resolves with the message's id, once it is durable. */
  publish(message: unknown): Promise<string> {
    const { timeoutMs } = this.#options;
    const json = JSON.stringify(message);
    const deadline = performance.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        // The deadlines are in the order of the calls: it is the first of those that wait, or on its way.
        if (this.#waiting[0] === waiting) this.#waiting.shift();
        reject(this.#failure ?? noAnswer(timeoutMs));
      };
      const waiting: Waiting = { json, deadline, timer: setTimeout(giveUp, timeoutMs), resolve, reject };
      this.#waiting.push(waiting);
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
    const last = batch.at(-1);
    if (last === undefined) return;
    const body = batch.length === 1 ? last.json : `[${batch.map(({ json }) => json).join(",")}]`;
    this.#failure = undefined;
    try {
      // Until the last deadline, with those that have been given up meanwhile: an attempt may have stored the batch
      // unseen, and only the same bytes under the same key find that out.
      const ids = await this.#options.send(body, {
        timeoutMs: last.deadline - performance.now(),
        onFailure: (error) => (this.#failure = error),
      });
      for (const [index, { timer, resolve, reject }] of batch.entries()) {
        const id = ids[index];
        clearTimeout(timer);
        if (id === undefined) reject(tooFewIds(batch.length, ids.length));
        else resolve(id);
      }
    } catch (error) {
      const isFaulty = error instanceof ChanctlError && FAULTY.has(error.code);
      if (!isFaulty || batch.length === 1) {
        for (const { timer, reject } of batch) {
          clearTimeout(timer);
          reject(error);
        }
        return;
      }
      // Its key stored nothing, so the halves may go under keys of their own: the good ones arrive, the bad one is found.
      const now = performance.now();
      const left = batch.filter(({ deadline }) => deadline > now);
      const half = Math.ceil(left.length / 2);
      await this.#send(left.slice(0, half));
      await this.#send(left.slice(half));
    }
  }
}

function noAnswer(timeoutMs: number): ChanctlError {
  const message = `the broker must answer within ${formatDuration(timeoutMs)}, got no answer`;
  return new ChanctlError("cannot_connect", message, { hint: "chanctl dev     starts it" });
}

function tooFewIds(expected: number, came: number): ChanctlError {
  return new ChanctlError("internal", `the broker must answer with ${expected} ids, got ${came}`, {
    hint: "check that `CHANCTL_URL` is the broker's",
  });
}
