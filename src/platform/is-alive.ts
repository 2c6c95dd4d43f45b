import { errorCodeOf } from "../shared/errors.ts";
import { readProcessStat } from "./process-stat.ts";

/** Whether a process has this id now: the one that is meant, or a later one that was given its number. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false; // 0 and -1 would ask after groups
  // Dead, and not yet reaped: only Linux tells. After the signal it would be a race with who reaps it.
  if (readProcessStat(pid)?.state === "Z") return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCodeOf(error) === "EPERM"; // another user's
  }
}
