/** A token bucket: so many a second, and a saved-up burst. */
export class RateLimit {
  readonly #perSec: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = performance.now();

  constructor({ perSec, burst }: { perSec: number; burst: number }) {
    this.#perSec = perSec;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one token. Returns 0 if there was one, else the seconds until there is. */
  take(): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSec);
    this.#filledAt = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#perSec;
    this.#tokens -= 1;
    return 0;
  }
}
