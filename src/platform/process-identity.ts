import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { groupMembers, readProcessStat } from "./process-stat.ts";
import { runOnWindows, startTimeCommand } from "./process-windows.ts";

/** A process, told apart from a later one that has been given the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, as a text that only makes sense to compare. */
  readonly startedAt: string;
}

/**
 * Identifies a process by its id and when it started.
 *
 * @returns `undefined` if there is no such process.
 */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = readStart(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the process group that `leader` led still has a member. */
export function isGroupOf(leader: ProcessIdentity): boolean {
  const startedAt = readStart(leader.pid);
  if (startedAt !== undefined) return startedAt === leader.startedAt;
  // The leader may die before its children. As long as one of them lives, the kernel gives its number to no
  // other process, group or session.
  return (
    leader.startedAt.startsWith(`${readBootId()} `) &&
    groupMembers(leader.pid).some((member) => member.session === leader.pid)
  );
}

function readStart(pid: number): string | undefined {
  if (process.platform === "win32") return runOnWindows(startTimeCommand(pid)) || undefined;
  if (process.platform === "linux") {
    const stat = readProcessStat(pid);
    return stat && `${readBootId()} ${stat.startTicks}`;
  }
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() || undefined;
}

/** Ticks count from the start of the machine, so they mean nothing after the next one. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}
