import { type ChildProcess, spawn } from "node:child_process";

import { errorCodeOf } from "../../shared/errors.ts";
import type { CommandResult } from "./machine.ts";

interface RunProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Whether it may ask on the terminal. */
  readonly isAsking: boolean;
  /** When it is killed, ms. @default never: a person may take their time over a password */
  readonly timeoutMs?: number;
}

/** All roots of a system are half a MB of PEM. A `certutil` that asks in vain for a password fills this in a second. */
const MAX_OUTPUT_CHARACTERS = 16 * 1024 * 1024;

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs a program to its end, to that of its time or output, or to our own; 127 where it did not come to its own. */
export function runProgram(
  [program = "", ...args]: readonly string[],
  { env, isAsking, timeoutMs }: RunProgramOptions,
): Promise<CommandResult> {
  const ending = new AbortController();
  const child = spawn(program, args, {
    env,
    stdio: [isAsking ? "inherit" : "ignore", "pipe", isAsking ? "inherit" : "pipe"],
    signal: ending.signal,
    killSignal: "SIGKILL",
    windowsHide: true,
  });
  const text = { stdout: "", stderr: "" };
  const gather = (name: keyof typeof text): void => {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      if (text[name].length > MAX_OUTPUT_CHARACTERS) ending.abort("wrote without end");
    });
  };
  gather("stdout");
  gather("stderr");
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => ending.abort(`did not end within ${timeoutMs / 1_000} s`), timeoutMs);
  const release = isAsking ? () => {} : endWithProcess(child);
  return new Promise((resolve) => {
    const settle = (result: CommandResult): void => {
      clearTimeout(timer);
      release();
      resolve(result);
    };
    child.on("error", (error) => {
      // What it has started itself may live on, and hold its pipes: neither keeps us.
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      const why = ending.signal.aborted
        ? `${String(ending.signal.reason)}, and was ended`
        : `cannot be started (${errorCodeOf(error) ?? error.message})`;
      settle({ code: 127, stdout: "", stderr: `${program} ${why}` });
    });
    child.once("close", (code) => settle({ code: code ?? 1, ...text }));
  });
}

/** A child outlives a process that an exception or a signal ends. */
function endWithProcess(child: ChildProcess): () => void {
  const kill = (): void => void child.kill("SIGKILL");
  const onSignal = (signal: NodeJS.Signals): void => {
    release();
    kill();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal); // as if nobody had listened
  };
  const release = (): void => {
    process.off("exit", kill);
    for (const signal of END_SIGNALS) process.off(signal, onSignal);
  };
  process.once("exit", kill);
  for (const signal of END_SIGNALS) process.on(signal, onSignal);
  return release;
}
