import { withoutWrap } from "../terminal-text.ts";

/**
 * To the beginning of the line, erase it, and what is below it, if it was wrapped. In this order: tmux keeps what
 * is erased from the first row of the screen on as if it had scrolled away.
 */
const ERASE = "\r\u001B[K\u001B[J";

/** An app that writes thousands of lines a second costs so few writes, each with one status line at its end. */
const FLUSH_INTERVAL_MS = 50;
const REDRAW_INTERVAL_MS = 250;

interface ScreenOptions {
  /** Writes to the terminal. */
  readonly write: (text: string) => void;
  /** The status line now, no wider than the terminal. */
  readonly status: () => string;
}

/**
 * Lines that scroll, and below them one status line that is redrawn in place.
 *
 * The cursor waits at the beginning of the status line, not at its end: when the terminal becomes narrower and wraps
 * the line, the cursor stays with its first character, and what follows is still all that has to be erased.
 */
export class Screen {
  readonly #options: ScreenOptions;
  #isShown = false;
  #isDrawn = false;
  #pending = "";
  #isAtLineStart = true;
  #timer: NodeJS.Timeout | undefined;
  #timerDueAt = 0;
  #lastWriteAt = Number.NEGATIVE_INFINITY;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Draws the status line, from now on below everything. */
  show(): void {
    if (this.#isShown) return;
    this.#isShown = true;
    process.on("exit", this.#onExit);
    this.#flush();
  }

  /** Takes the status line away, for good or until `show`: for a question, or when another program has the terminal. */
  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    process.off("exit", this.#onExit);
    this.#flush();
  }

  /** Prints text above the status line; while that is shown, with what else is printed in the next moment. */
  readonly print = (text: string): void => {
    if (text === "") return;
    this.#pending += text;
    if (this.#isShown) this.#schedule(FLUSH_INTERVAL_MS);
    else this.#flush();
  };

  /** What the status line says has changed: it is redrawn in a moment. */
  readonly refresh = (): void => {
    if (this.#isShown) this.#schedule(REDRAW_INTERVAL_MS);
  };

  /** Moves what is on the screen out of sight, where it can be scrolled back to. */
  clear(rows: number): void {
    this.print(`${ERASE}${"\n".repeat(rows - 1)}\u001B[H\n`);
  }

  /** Lets something else write to the terminal in its place among the lines. */
  around(write: () => void): void {
    const erase = this.#isDrawn ? ERASE : "";
    this.#isDrawn = false;
    this.#write(this.#takePending(erase));
    write();
    this.refresh();
  }

  readonly #onExit = (): void => this.hide();

  #schedule(intervalMs: number): void {
    const dueAt = Math.max(performance.now(), this.#lastWriteAt + intervalMs);
    if (this.#timer !== undefined) {
      if (dueAt >= this.#timerDueAt) return;
      clearTimeout(this.#timer);
    }
    this.#timerDueAt = dueAt;
    this.#timer = setTimeout(() => this.#flush(), dueAt - performance.now());
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#takePending(this.#isDrawn ? ERASE : "");
    // Should the terminal have just become narrower, the line must not be two: the cursor would begin the second.
    this.#isDrawn = this.#isShown && this.#isAtLineStart;
    this.#write(this.#isDrawn ? `${text}${withoutWrap(this.#options.status())}\r` : text);
    this.#lastWriteAt = performance.now();
  }

  #takePending(before: string): string {
    const text = before + this.#pending;
    if (this.#pending !== "") this.#isAtLineStart = this.#pending.endsWith("\n");
    this.#pending = "";
    return text;
  }

  #write(text: string): void {
    if (text !== "") this.#options.write(text);
  }
}
