/** Buckets of 1 µs up to here; above it 32 for each power of two, so that a bucket is within 3 % of its values. */
const EXACT = 64;
const PER_POWER = EXACT / 2;
const POWERS = 26;

/** Latencies in µs, in little memory and cheap to add to, for millions of them. */
export class Histogram {
  readonly #counts: Uint32Array;

  /** @param counts of another process's histogram, as `toCounts` gave them. */
  constructor(counts?: readonly number[]) {
    this.#counts = new Uint32Array(EXACT + POWERS * PER_POWER);
    if (counts !== undefined) this.#counts.set(counts);
  }

  get size(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  record(valueUs: number): void {
    const bucket = Math.min(bucketOf(Math.max(0, Math.trunc(valueUs))), this.#counts.length - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  add(other: Histogram): void {
    other.#counts.forEach((count, bucket) => {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    });
  }

  /**
   * The value that this share of all values does not exceed, in ms; `NaN` of nothing.
   *
   * @param share between 0 and 1: 0.5 is the median.
   */
  percentileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.size * share));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return middleOf(bucket) / 1_000;
    }
    return Number.NaN;
  }

  /** The counts as a plain array, to send to another process. */
  toCounts(): number[] {
    return [...this.#counts];
  }
}

/** Adds up the histograms of several processes. */
export function sumOf(counts: readonly (readonly number[])[]): Histogram {
  const sum = new Histogram();
  for (const each of counts) sum.add(new Histogram(each));
  return sum;
}

function bucketOf(value: number): number {
  if (value < EXACT) return value;
  const power = Math.floor(Math.log2(value)) - Math.log2(PER_POWER);
  return EXACT + (power - 1) * PER_POWER + (Math.floor(value / 2 ** power) - PER_POWER);
}

function middleOf(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const power = Math.floor((bucket - EXACT) / PER_POWER) + 1;
  return (PER_POWER + ((bucket - EXACT) % PER_POWER) + 0.5) * 2 ** power;
}
