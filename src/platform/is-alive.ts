import { errorCodeOf } from "../shared/errors.ts";
import { readProcessStat } from "./process-stat.ts";

/** Whether a process has this id now: the one that is meant, or a later one that was given its number. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false; // 0 and -1 would ask after groups
  try {
    process.kill(pid, 0);
    return readProcessStat(pid)?.state !== "Z"; // dead, and not yet reaped: only Linux tells
  } catch (error) {
    return errorCodeOf(error) === "EPERM"; // another user's
  }
}
