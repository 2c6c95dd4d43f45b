import { readdirSync, readFileSync } from "node:fs";

/** What the Linux kernel says of a process. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter; `Z` is a zombie: dead, and not yet reaped by its parent. */
  readonly state: string;
  readonly group: number;
  readonly session: number;
  /** The group in the foreground of its terminal; -1 without a terminal. */
  readonly foregroundGroup: number;
  /** When it started, in clock ticks since the machine did. */
  readonly startTicks: number;
}

/**
 * Reads `/proc/<pid>/stat`.
 *
 * @returns `undefined` if there is no such process, or no `/proc`.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function readProcessStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, , group, session, , foregroundGroup] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return undefined;
  return {
    pid,
    state,
    group: Number(group),
    session: Number(session),
    foregroundGroup: Number(foregroundGroup),
    startTicks: Number(startTicks),
  };
}

/** The living members of a process group: zombies do not count. Linux only; elsewhere nobody. */
export function groupMembers(group: number): ProcessStat[] {
  return listProcesses()
    .map(readProcessStat)
    .filter((stat) => stat !== undefined)
    .filter((stat) => stat.group === group && stat.state !== "Z");
}

/** The ids of all processes. Linux only; elsewhere none. */
export function listProcesses(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
