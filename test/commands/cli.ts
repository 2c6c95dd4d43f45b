import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The words of a program that runs it. @default none */
  readonly words?: readonly string[];
}

/** Runs `chanctl` to its end, as a shell without a terminal does. */
export async function runCli(
  args: readonly string[],
  { input = "", ...options }: CliOptions,
): Promise<CliResult> {
  const cli = new RunningCli(args, options);
  cli.child.stdin.end(input);
  return cli.ended();
}

/** A `chanctl` that goes on running; its output is gathered from the first byte on. */
export class RunningCli implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[], { cwd, env = {}, words = [] }: CliOptions) {
    const [program = process.execPath, ...rest] = [...words, process.execPath, CLI, ...args];
    this.child = spawn(program, rest, { cwd, env: cleanEnv(env) });
    this.child.stdin.on("error", () => {}); // it may end before it has read all
    this.#closed = once(this.child, "close");
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The whole lines of standard output so far. */
  get lines(): string[] {
    return this.#stdout.split("\n").slice(0, -1);
  }

  /** Waits until the output is as wanted; fails with all that was printed if the process ends before. */
  async until(isWanted: (cli: this) => boolean): Promise<void> {
    while (!isWanted(this)) {
      const isOver = this.child.exitCode !== null || this.child.signalCode !== null;
      if (isOver) throw new Error(`chanctl ended:\n${this.#stdout}\n${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async ended(): Promise<CliResult> {
    await this.#closed;
    return { code: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = "SIGINT"): Promise<CliResult> {
    this.child.kill(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end("SIGTERM");
  }
}

/** The environment of a stranger: nothing of ours, no colours, no CI. */
function cleanEnv(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(CHANCTL_|NO_COLOR$|FORCE_COLOR$|CI$|NODE_OPTIONS$|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...env };
}
