import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Starts one of `test/broker/fixtures`, killed with the test if it still runs then. */
export function startFixture(name: string, ...args: readonly string[]): ChildProcess {
  const file = fileURLToPath(new URL(`../broker/fixtures/${name}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => kill(child));
  return child;
}

/** Kills a child as the kernel would, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
