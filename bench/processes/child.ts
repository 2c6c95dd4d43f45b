import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { CallTable } from "./calls.ts";

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What a child sends back. */
export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };

const EXIT_WITHIN_MS = 5_000;

/** A process of the benchmark, and the calls made to it. */
export class Child<Calls extends CallTable<Calls>> {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  /** @param module a file that calls `serveCalls`. */
  constructor(module: URL) {
    this.#process = fork(module, {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#process.on("message", (reply: Reply) => this.#settle(reply));
    this.#exited = once(this.#process, "exit").then(([code, signal]) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${module.pathname} ended with ${signal ?? `code ${code}`} in the middle of a run`));
      this.#waiting.clear();
    });
  }

  /** Calls the child. Rejects with the error that it met, or if it ends before it answers. */
  call<Name extends keyof Calls & string>(
    name: Name,
    given: Calls[Name]["given"],
  ): Promise<Calls[Name]["answer"]> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) return reject(new Error(`\`${name}\` came after the process had ended`));
      this.#waiting.set(id, { resolve, reject });
      return this.#process.send({ id, name, given });
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.answer);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), EXIT_WITHIN_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
