import { ChanctlError } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";

/** A token bucket: so many a second, and a saved-up burst. */
export class RateLimit {
  readonly #perSec: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = performance.now();

  constructor({ maxPublishesPerSec, publishBurst }: Pick<Limits, "maxPublishesPerSec" | "publishBurst">) {
    this.#perSec = maxPublishesPerSec;
    this.#burst = publishBurst;
    this.#tokens = publishBurst;
  }

  /** Counts one publish. @throws {ChanctlError} `rate_limited` with the time until the next may come. */
  take(): void {
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSec);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      throw new ChanctlError("rate_limited", "you publish too fast (`limits.maxPublishesPerSec`)", {
        limit: "maxPublishesPerSec",
        retryAfterSecs: (1 - this.#tokens) / this.#perSec,
      });
    }
    this.#tokens -= 1;
  }
}
