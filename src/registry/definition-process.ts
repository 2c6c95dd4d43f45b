import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

import { OutputTail } from "./output-tail.ts";

const CHILD = fileURLToPath(new URL("./definition-child.js", import.meta.url));

interface ProcessOptions {
  /** The project's folder, absolute: the working directory. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A process that waits for the definitions that it is to import. Whoever takes it ends it. */
export class DefinitionProcess {
  readonly child: ChildProcess;
  readonly #output: OutputTail;
  readonly #exited: Promise<void>;
  #hasEnded = false;

  constructor({ root, env }: ProcessOptions) {
    this.child = fork(CHILD, { cwd: root, env, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#output = new OutputTail([this.child.stdout, this.child.stderr]);
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true;
        resolve();
      };
      this.child.once("exit", end);
      this.child.once("error", end);
    });
  }

  get isAlive(): boolean {
    return !this.#hasEnded && this.child.connected;
  }

  /** The last lines that it wrote, indented by two. */
  get output(): string {
    return this.#output.text;
  }

  /** Ends it at once, whatever it does. Resolves when it is gone. */
  end(): Promise<void> {
    this.child.kill("SIGKILL");
    return this.#exited;
  }
}

/** One process kept ready: a save needs a while to settle, and a process to start. */
export class SpareProcess {
  readonly #start: () => DefinitionProcess;
  #spare: DefinitionProcess | undefined;

  constructor(start: () => DefinitionProcess) {
    this.#start = start;
  }

  get isReady(): boolean {
    return this.#spare !== undefined;
  }

  /** Starts one, unless one is there. */
  prepare(): void {
    this.#spare ??= this.#start();
  }

  /** The one that is ready, or a new one. */
  take(): DefinitionProcess {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.isAlive === true ? spare : this.#start();
  }

  /** Ends the one that is ready: nothing is to be loaded. Resolves when it is gone. */
  async drop(): Promise<void> {
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.end();
  }
}
