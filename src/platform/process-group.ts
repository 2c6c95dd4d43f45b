import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { groupMembers } from "./process-stat.ts";
import { killTreeCommand, runOnWindows } from "./process-windows.ts";

const POLL_MS = 20;
/** How long SIGKILL may take to show. A process stuck in the kernel outlives even that. */
const KILL_WAIT_MS = 2_000;

/** The first process of a group. */
export type GroupLeader = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs a shell command line as the leader of a process group of its own, so that whatever it starts can be
 * ended with it, and Ctrl-C in our terminal does not reach it behind our back. The group's id is its `pid`.
 *
 * Standard input is a pipe that stays open and silent: some dev servers end when theirs ends, and so they
 * end by themselves if we are killed.
 */
export function spawnGroup(
  command: string,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): GroupLeader {
  const detached = process.platform !== "win32"; // there it would open a console window
  return spawn(command, {
    cwd,
    env,
    shell: true,
    detached,
    windowsHide: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/**
 * Sends a signal to every process of a group; nothing happens if it is gone. On Windows, where there are neither, the
 * first process and all that it started are ended.
 */
export function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (process.platform === "win32") {
    runOnWindows(killTreeCommand(group));
    return;
  }
  sendSignal(-group, signal);
}

/**
 * Whether a process of the group lives.
 *
 * Zombies do not count: where process 1 does not reap (chanctl itself in a container), they stay for ever.
 */
function isGroupAlive(group: number): boolean {
  if (process.platform === "win32") return sendSignal(group, 0);
  if (!sendSignal(-group, 0)) return false;
  return process.platform !== "linux" || groupMembers(group).length > 0;
}

/** Ends a group: SIGTERM, after `graceMs` SIGKILL. Resolves when it is gone, at the latest 2 s after the SIGKILL. */
export async function endGroup(group: number, { graceMs }: { readonly graceMs: number }): Promise<void> {
  if (!isGroupAlive(group)) return;
  signalGroup(group, "SIGTERM");
  if (await isGoneWithin(group, graceMs)) return;
  signalGroup(group, "SIGKILL");
  await isGoneWithin(group, KILL_WAIT_MS);
}

async function isGoneWithin(group: number, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (isGroupAlive(group)) {
    if (performance.now() >= until) return false;
    await delay(POLL_MS);
  }
  return true;
}

function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false; // gone, or (a zombie on macOS) not to be signalled
  }
}
