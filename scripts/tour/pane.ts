import type { Terminal } from "../../test/support/terminal.ts";
import { childrenOf } from "./processes.ts";
import { shownSince } from "./shown-since.ts";

/** What must come on the screen. */
export type Expected = string | RegExp;

/** What was typed, and what the terminal showed then. */
export interface Typed {
  readonly keys: string;
  readonly shown: string;
}

/** How long a step may take, unless it says more. */
const STEP_TIMEOUT_MS = 30_000;
/** The prompt, alone on its line. */
const PROMPT_LINE = /^~\S* \$$/;

interface Waiting {
  readonly expected: readonly Expected[];
  readonly timeoutMs?: number;
  /** Also waits for the prompt: the command has ended. */
  readonly ends?: boolean;
}

/** A terminal that is watched step by step: a step fails where what it waits for does not come. */
export class Pane implements AsyncDisposable {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Types a command and waits until it has ended and has shown all of this. */
  run(command: string, ...expected: readonly Expected[]): Promise<Typed> {
    return this.#step(command, { expected, ends: true }, () => this.#terminal.enter(command));
  }

  /** As {@link run}, for a command that may take minutes. */
  runLong(command: string, ...expected: readonly Expected[]): Promise<Typed> {
    const waiting = { expected, ends: true, timeoutMs: 300_000 };
    return this.#step(command, waiting, () => this.#terminal.enter(command));
  }

  /** Types a command that goes on, or asks, and waits until it has shown all of this. */
  start(command: string, ...expected: readonly Expected[]): Promise<Typed> {
    const waiting = { expected, timeoutMs: 60_000 };
    return this.#step(command, waiting, () => this.#terminal.enter(command));
  }

  /** Presses a key, by tmux's name for it. */
  press(key: string, ...expected: readonly Expected[]): Promise<Typed> {
    return this.#step(key, { expected }, () => this.#terminal.press(key));
  }

  /** Presses a key that ends the command. */
  end(key: string, ...expected: readonly Expected[]): Promise<Typed> {
    return this.#step(key, { expected, ends: true }, () => this.#terminal.press(key));
  }

  /** Does something elsewhere that this terminal tells of. */
  watch(act: () => Promise<unknown>, ...expected: readonly Expected[]): Promise<Typed> {
    return this.#step("", { expected, timeoutMs: 60_000 }, act);
  }

  /** Empties the screen. */
  async clear(): Promise<void> {
    await this.#terminal.press("C-l");
    await this.#terminal.until((screen) => screen.split("\n").length === 1);
  }

  /** The screen with its colours. */
  colors(): Promise<string> {
    return this.#terminal.colors();
  }

  /** All that it has shown since it was opened. */
  history(): Promise<string> {
    return this.#terminal.history();
  }

  /** Waits for what the last line says: a status line. */
  async untilLastLine(text: RegExp): Promise<void> {
    await this.#terminal.untilLastLine(text);
  }

  /** The processes that were started from the shell and are still there. */
  async children(): Promise<number[]> {
    return childrenOf(await this.#terminal.shellPid());
  }

  async #step(keys: string, waiting: Waiting, act: () => Promise<unknown>): Promise<Typed> {
    const before = await this.#terminal.history();
    await act();
    let shown = "";
    const isThere = async (): Promise<boolean> => {
      shown = shownSince(before, await this.#terminal.history());
      const hasAll = waiting.expected.every((text) =>
        typeof text === "string" ? shown.includes(text) : text.test(shown),
      );
      return hasAll && (waiting.ends !== true || PROMPT_LINE.test(shown.split("\n").at(-1) ?? ""));
    };
    const giveUpAt = performance.now() + (waiting.timeoutMs ?? STEP_TIMEOUT_MS);
    while (!(await isThere())) {
      if (performance.now() > giveUpAt) {
        const wanted = [...waiting.expected, ...(waiting.ends === true ? ["the prompt"] : [])].join(", ");
        throw new Error(`after \`${keys}\` came no ${wanted}; the terminal shows:\n${shown}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { keys, shown };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#terminal[Symbol.asyncDispose]();
  }
}
