interface LogBufferOptions {
  /** The lines that would make it longer are dropped, and counted. */
  readonly maxChars: number;
  /** The line that says how many were. */
  readonly droppedLine: (count: number) => string;
}

/** Lines on their way to a file: bounded, for the disk may hang or be full. */
export class LogBuffer {
  readonly #options: LogBufferOptions;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;

  constructor(options: LogBufferOptions) {
    this.#options = options;
  }

  get chars(): number {
    return this.#chars;
  }

  /** Takes a line, or counts it. Once one was dropped all are until the buffer is taken: the gap is one. */
  add(line: string): void {
    if (this.#dropped > 0 || this.#chars + line.length > this.#options.maxChars) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
  }

  /** All lines in their order, with how many are missing at the end; the buffer is empty then. */
  take(): string {
    const dropped = this.#dropped === 0 ? "" : this.#options.droppedLine(this.#dropped);
    const text = this.#lines.join("") + dropped;
    this.#lines = [];
    this.#chars = 0;
    this.#dropped = 0;
    return text;
  }
}
