import { ChanctlError } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";

interface Rate {
  readonly perSec: number;
  /** How many may be saved up. */
  readonly burst: number;
  /** What whoever is too fast is told. */
  readonly message: string;
  /** Where it can be set. */
  readonly limit?: keyof Limits;
}

/** A token bucket: so many a second, and a saved-up burst. */
export class RateLimit {
  readonly #rate: Rate;
  #tokens: number;
  #filledAt = performance.now();

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /** Counts one. @throws {ChanctlError} `rate_limited` with the time until the next may come. */
  take(): void {
    this.#take(1, { least: 1 });
  }

  /**
   * Counts the other messages of a batch whose first was taken, into debt where they are more than is left: a batch may
   * be larger than the burst.
   *
   * @throws {ChanctlError} as `take`, while another batch's debt is not paid.
   */
  takeRest(count: number): void {
    this.#take(count, { least: 0 });
  }

  #take(count: number, { least }: { readonly least: number }): void {
    const { perSec, burst, message, limit } = this.#rate;
    const now = performance.now();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * perSec);
    this.#filledAt = now;
    if (this.#tokens < least) {
      const retryAfterSecs = (1 - this.#tokens) / perSec;
      throw new ChanctlError("rate_limited", message, { ...(limit && { limit }), retryAfterSecs });
    }
    this.#tokens -= count;
  }
}

/** How fast a client may publish on one connection. */
export function publishRate({
  maxPublishesPerSec,
  publishBurst,
}: Pick<Limits, "maxPublishesPerSec" | "publishBurst">): RateLimit {
  const limit = "maxPublishesPerSec";
  const message = `you publish too fast (\`limits.${limit}\`)`;
  return new RateLimit({ perSec: maxPublishesPerSec, burst: publishBurst, message, limit });
}
