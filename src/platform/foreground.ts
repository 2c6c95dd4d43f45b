import { execFile } from "node:child_process";
import { readProcessStat } from "./process-stat.ts";

/**
 * Whether this process is in the foreground of its terminal. One in the background (`chanctl dev &`) that reads the
 * terminal or changes its mode is stopped by the kernel.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap11.html section 11.1.4
 */
export async function isInForeground(): Promise<boolean> {
  if (process.platform === "win32") return true;
  const stat = readProcessStat(process.pid);
  if (stat !== undefined) return stat.group === stat.foregroundGroup;
  const [group, foregroundGroup] = await readGroups();
  return group !== undefined && group === foregroundGroup;
}

/** Where there is no `/proc`, `ps` knows. */
function readGroups(): Promise<string[]> {
  return new Promise((resolve) => {
    execFile("ps", ["-o", "pgid=,tpgid=", "-p", String(process.pid)], (error, stdout) =>
      resolve(error === null ? stdout.trim().split(/\s+/) : []),
    );
  });
}
