import type { ReadStream } from "node:tty";

import { isInForeground } from "../../platform/foreground.ts";
import { CTRL_BACKSLASH, CTRL_C, CTRL_Z, toKeys } from "./key-input.ts";

/** A shell that brings a running job to the foreground sends it no signal. */
const BACKGROUND_CHECK_MS = 1_000;

/** A stop that nobody takes up again is none: the kernel ignores it where no shell could. */
const STOP_CHECK_MS = 100;

interface KeyboardOptions {
  readonly onKey: (key: string) => void;
  /** The terminal is ours, or is another program's: nothing may be drawn then. */
  readonly onForeground: (isOurs: boolean) => void;
}

/**
 * Reads single keys from a terminal, and leaves it as it was.
 *
 * A terminal in raw mode sends no signals, so they are sent here, as it would: to the whole group of processes, npm or
 * a script among them. While another program has the terminal (Ctrl-Z, `chanctl dev &`) it is neither read nor changed.
 */
export class Keyboard {
  readonly #input: ReadStream | undefined;
  readonly #options: KeyboardOptions;
  #isReading = false;
  #isClosed = false;
  #check: NodeJS.Timeout | undefined;

  /** @param input the terminal; `undefined`: no key can be read, and only who has the terminal is watched. */
  constructor(input: ReadStream | undefined, options: KeyboardOptions) {
    this.#input = input;
    this.#options = options;
    input?.on("error", ignore); // EIO: the terminal is gone, and SIGHUP says so
    process.on("SIGCONT", this.#take);
    this.#take();
  }

  /** Whether keys are read now. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    process.off("SIGCONT", this.#take);
    clearTimeout(this.#check);
    this.#release();
    this.#input?.off("error", ignore);
  }

  /** Takes the terminal if it is ours to take: at the start, and whenever we have been stopped. */
  readonly #take = (): void => {
    clearTimeout(this.#check);
    isInForeground().then(
      (isOurs) => {
        if (this.#isClosed) return;
        if (isOurs) this.#read();
        else {
          this.#leave();
          this.#check = setTimeout(this.#take, BACKGROUND_CHECK_MS).unref();
        }
        this.#options.onForeground(isOurs);
      },
      () => {},
    );
  };

  #read(): void {
    if (this.#input === undefined) return;
    // libuv remembers the mode that it has set; the shell has set another since.
    this.#input.setRawMode(false);
    this.#input.setRawMode(true);
    if (this.#isReading) return;
    this.#isReading = true;
    this.#input.on("data", this.#onData).resume();
  }

  /** Stops reading, and leaves the mode alone: to change it from the background would stop us. */
  #leave(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#input?.off("data", this.#onData).pause();
  }

  #release(): void {
    if (!this.#isReading) return;
    this.#leave();
    this.#input?.setRawMode(false);
  }

  readonly #onData = (bytes: Buffer): void => {
    for (const key of toKeys(bytes.toString())) this.#press(key);
  };

  #press(key: string): void {
    if (key === CTRL_C) signalGroup("SIGINT");
    else if (key === CTRL_Z) this.#suspend("SIGTSTP");
    else if (key === CTRL_BACKSLASH) this.#suspend("SIGQUIT");
    else this.#options.onKey(key);
  }

  #suspend(signal: "SIGTSTP" | "SIGQUIT"): void {
    if (process.platform === "win32") return;
    this.#options.onForeground(false);
    this.#release();
    this.#check = setTimeout(this.#take, STOP_CHECK_MS);
    signalGroup(signal);
  }
}

/** What a terminal does: all processes of the group in its foreground get the signal, and ours is that. */
function signalGroup(signal: NodeJS.Signals): void {
  if (process.platform === "win32") process.emit(signal, signal);
  else process.kill(0, signal);
}

function ignore(): void {}
