/** A publish, or what else may come a thousand times a second, as the terminal shows it. */
export interface FrequentLine {
  /** The stream's path. */
  readonly path: string;
  /** Makes the line; only called if it is printed. */
  readonly text: () => string;
  /** How much it counts: the messages that a publish stored. @default 1 */
  readonly count?: number;
}

/** What was on a stream beyond the lines that were printed. */
export interface FrequentSum {
  /** The stream's path; `undefined` for all the streams that have no line of their own. */
  readonly path: string | undefined;
  readonly count: number;
}

interface FrequentLinesOptions {
  readonly print: (text: string) => void;
  /** Called at the end of a second for each stream of which something was left out. */
  readonly printSum: (sum: FrequentSum) => void;
  /** How many of one stream have lines in a second. @default 5 */
  readonly linesAStream?: number;
}

/** What there was of one stream in a second. */
interface SecondOfStream {
  /** How many events. */
  events: number;
  /** How much of them has no line. */
  skipped: number;
  /** The one event that has none; `undefined` where there are more, or none. */
  alone: (() => string) | undefined;
}

/** Of one stream in a second. */
const LINES_A_STREAM = 5;
/** Of all together: no eye follows more, and each costs a write. */
const LINES_IN_ALL = 20;

/**
 * A line for each event of a kind while there are few; for a stream with many, one line a second that counts them.
 */
export class FrequentLines {
  readonly #options: FrequentLinesOptions;
  #lines = 0;
  readonly #streams = new Map<string, SecondOfStream>();
  /** The streams that had too many in the last second: they get no lines but the sum until they have fewer. */
  #busy: ReadonlySet<string> = new Set();
  #second: NodeJS.Timeout | undefined;
  readonly #linesAStream: number;

  constructor(options: FrequentLinesOptions) {
    this.#options = options;
    this.#linesAStream = options.linesAStream ?? LINES_A_STREAM;
  }

  /** Prints the line, or counts it. */
  add({ path, text, count = 1 }: FrequentLine): void {
    if (this.#second === undefined) this.#beginSecond();
    const stream = this.#streams.get(path) ?? { events: 0, skipped: 0, alone: undefined };
    this.#streams.set(path, stream);
    stream.events += 1;
    if (this.#busy.has(path) || stream.events > this.#linesAStream || this.#lines >= LINES_IN_ALL) {
      stream.alone = stream.skipped === 0 ? text : undefined;
      stream.skipped += count;
      return;
    }
    this.#lines += 1;
    this.#options.print(text());
  }

  /** Tells what has been counted of this second, and begins anew. */
  close(): void {
    clearTimeout(this.#second);
    this.#endSecond();
    clearTimeout(this.#second);
    this.#second = undefined;
    this.#busy = new Set();
  }

  #beginSecond(): void {
    this.#second = setTimeout(() => this.#endSecond(), 1_000).unref();
  }

  #endSecond(): void {
    const sums = [...this.#streams]
      .map(([path, { skipped, alone }]) => ({ path, count: skipped, alone }))
      .filter(({ count }) => count > 0)
      .toSorted((a, b) => b.count - a.count);
    const others = sums.slice(LINES_IN_ALL).reduce((total, { count }) => total + count, 0);
    for (const { alone, ...sum } of sums.slice(0, LINES_IN_ALL)) {
      if (alone === undefined) this.#options.printSum(sum);
      else this.#options.print(alone()); // it says more, and is no longer
    }
    if (others > 0) this.#options.printSum({ path: undefined, count: others });
    this.#busy = new Set(
      [...this.#streams].filter(([, { events }]) => events > this.#linesAStream).map(([path]) => path),
    );
    this.#lines = 0;
    this.#streams.clear();
    // Once more where a stream is busy, or it would still count as busy at its next event, whenever that is.
    this.#second = undefined;
    if (this.#busy.size > 0) this.#beginSecond();
  }
}
