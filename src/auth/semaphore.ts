import { ChanctlError } from "../shared/errors.ts";

interface SemaphoreOptions {
  /** Tasks that run at once. */
  readonly size: number;
  /** Tasks that may wait in line. */
  readonly maxWaiting: number;
  /** How long each may wait, in ms. */
  readonly maxWaitMs: number;
  /** Is called when a task must wait. */
  readonly onWait: () => void;
}

/** Lets a bounded number of tasks run at once; a bounded number of others wait in line, each for a bounded time. */
export class Semaphore {
  readonly #options: SemaphoreOptions;
  readonly #line = new Set<() => void>();
  #free: number;

  constructor(options: SemaphoreOptions) {
    this.#options = options;
    this.#free = options.size;
  }

  /**
   * Runs the task when its turn has come.
   *
   * @param signal gives the place in line up; the task itself must heed it on its own.
   * @throws {ChanctlError} `app_unavailable` if the line is full, or the turn does not come in time.
   * @throws The signal's reason if it aborts in line.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    try {
      return await task();
    } finally {
      const [next] = this.#line;
      if (next === undefined) this.#free += 1;
      else next(); // the place is handed on, so nobody who comes now can slip in between
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    const { maxWaiting, maxWaitMs } = this.#options;
    signal?.throwIfAborted();
    this.#options.onWait();
    if (this.#line.size >= maxWaiting) throw busy(`${maxWaiting} questions to it wait already`);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.delete(enter);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      };
      const enter = (): void => {
        leave();
        resolve();
      };
      const giveUp = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        leave();
        reject(busy(`a question waited ${maxWaitMs} ms for its turn`));
      }, maxWaitMs);
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#line.add(enter);
    });
  }
}

function busy(why: string): ChanctlError {
  return new ChanctlError("app_unavailable", `the app is asked more than it can answer: ${why}`, {
    limit: "maxAuthorizeCalls",
    retryAfterSecs: 5,
  });
}
