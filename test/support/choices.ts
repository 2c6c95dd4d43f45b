import { seededRandom } from "./random.ts";

/** What a seed decides: the same choices in the same order, for the same seed. */
export class Choices {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A number from 0 up to 1. */
  fraction(): number {
    return this.#random();
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number from 0 up to `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** A whole number from 1 to `max`. */
  upTo(max: number): number {
    return 1 + this.below(max);
  }

  /** One of the values; `undefined` if there are none. */
  anyOf<T>(values: readonly T[]): T | undefined {
    return values[this.below(values.length)];
  }

  /** @throws {RangeError} If there are no values. */
  oneOf<T>(values: readonly T[]): T {
    const value = this.anyOf(values);
    if (value === undefined) throw new RangeError("nothing to choose from");
    return value;
  }
}
