/** A publish as the terminal shows it. */
export interface PublishLine {
  /** The stream's path. */
  readonly path: string;
  /** Makes the line; only called if it is printed. */
  readonly text: () => string;
  /** How many messages it stored. */
  readonly messages: number;
}

/** What a stream has published beyond the lines that were printed. */
export interface PublishSum {
  /** The stream's path; `undefined` for all the streams that have no line of their own. */
  readonly path: string | undefined;
  readonly messages: number;
}

interface PublishLinesOptions {
  readonly print: (text: string) => void;
  /** Called at the end of a second for each stream of which publishes were left out. */
  readonly printSum: (sum: PublishSum) => void;
}

/** Of one stream, and of all together, in a second: no eye follows more, and each costs a write. */
const LINES_A_STREAM = 5;
const LINES_IN_ALL = 20;

/**
 * A line for each publish while there are few; for a stream with many, one line a second that counts them.
 */
export class PublishLines {
  readonly #options: PublishLinesOptions;
  #lines = 0;
  readonly #streams = new Map<string, { lines: number; skipped: number }>();
  /** The streams that had too many in the last second: they get no lines but the sum until they have fewer. */
  #busy: ReadonlySet<string> = new Set();
  #second: NodeJS.Timeout | undefined;

  constructor(options: PublishLinesOptions) {
    this.#options = options;
  }

  /** Prints the line, or counts it. */
  add({ path, text, messages }: PublishLine): void {
    if (this.#second === undefined) this.#beginSecond();
    const stream = this.#streams.get(path) ?? { lines: 0, skipped: 0 };
    this.#streams.set(path, stream);
    stream.lines += 1;
    if (this.#busy.has(path) || stream.lines > LINES_A_STREAM || this.#lines >= LINES_IN_ALL) {
      stream.skipped += messages;
      return;
    }
    this.#lines += 1;
    this.#options.print(text());
  }

  #beginSecond(): void {
    this.#second = setTimeout(() => this.#endSecond(), 1_000).unref();
  }

  #endSecond(): void {
    const sums = [...this.#streams]
      .map(([path, { skipped }]) => ({ path, messages: skipped }))
      .filter(({ messages }) => messages > 0)
      .toSorted((a, b) => b.messages - a.messages);
    const others = sums.slice(LINES_IN_ALL).reduce((total, { messages }) => total + messages, 0);
    for (const sum of sums.slice(0, LINES_IN_ALL)) this.#options.printSum(sum);
    if (others > 0) this.#options.printSum({ path: undefined, messages: others });
    this.#busy = new Set(
      [...this.#streams].filter(([, { lines }]) => lines > LINES_A_STREAM).map(([path]) => path),
    );
    this.#lines = 0;
    this.#streams.clear();
    // Once more where a stream is busy, or it would still count as busy at its next publish, whenever that is.
    this.#second = undefined;
    if (this.#busy.size > 0) this.#beginSecond();
  }
}
