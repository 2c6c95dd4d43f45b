interface LineBudgetOptions {
  readonly print: (text: string) => void;
  /** Called at the end of a second in which lines were left out. */
  readonly onSkipped: (count: number) => void;
}

const LINES_A_SECOND = 20;

/** Prints some lines a second and counts the others: no eye follows more, and each costs a write. */
export class LineBudget {
  readonly #options: LineBudgetOptions;
  #printed = 0;
  #skipped = 0;

  constructor(options: LineBudgetOptions) {
    this.#options = options;
  }

  /** Prints the line, or counts it. */
  print(text: string): void {
    if (this.#printed === 0) setTimeout(() => this.#endSecond(), 1_000).unref();
    if (this.#printed === LINES_A_SECOND) {
      this.#skipped += 1;
      return;
    }
    this.#printed += 1;
    this.#options.print(text);
  }

  #endSecond(): void {
    const skipped = this.#skipped;
    this.#printed = 0;
    this.#skipped = 0;
    if (skipped > 0) this.#options.onSkipped(skipped);
  }
}
