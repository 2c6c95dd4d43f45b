import { spawnSync } from "node:child_process";

/** A program and its arguments. */
type Command = readonly [program: string, ...args: string[]];

/**
 * Ends a process and everything that it has started. By force: without `/F` only windows are asked to close, and a
 * program of the console has none, so that each end would take as long as it may.
 *
 * @see https://learn.microsoft.com/windows-server/administration/windows-commands/taskkill
 */
export function killTreeCommand(pid: number): Command {
  return ["taskkill", "/PID", String(pid), "/T", "/F"];
}

/** Prints when a process started, in a form that no setting of the machine changes; nothing if there is none. */
export function startTimeCommand(pid: number): Command {
  const script = `(Get-Process -Id ${pid} -ErrorAction SilentlyContinue).StartTime.ToFileTimeUtc()`;
  return ["powershell.exe", "-NoProfile", "-NonInteractive", "-Command", script];
}

/** Runs one of them. Not tested on Windows. @returns What it printed; empty if it failed. */
export function runOnWindows([program, ...args]: Command): string {
  const { stdout, status } = spawnSync(program, args, { encoding: "utf8", windowsHide: true });
  return status === 0 ? stdout.trim() : "";
}
