import { readFileSync, statSync } from "node:fs";

/**
 * Finds the process that has locked a file for writing, through `/proc/locks`.
 *
 * @returns its id; `undefined` if nobody has, if it is in another container, and on other systems than Linux.
 * @see https://man7.org/linux/man-pages/man5/proc_locks.5.html
 */
export function findLockHolder(file: string): number | undefined {
  try {
    const { ino } = statSync(file);
    for (const line of readFileSync("/proc/locks", "latin1").split("\n")) {
      const [, , , kind, pid, place = ""] = line.trim().split(/\s+/);
      if (kind === "WRITE" && place.endsWith(`:${ino}`) && Number(pid) > 1) return Number(pid);
    }
  } catch {
    // There is no such file, or no such system.
  }
  return undefined;
}
