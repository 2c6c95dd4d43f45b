import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The process groups of the app that `chanctl dev` has started in a project, by the word that it leaves of them. */
export async function appGroups(folder: string): Promise<number[]> {
  const text = await readFile(join(folder, ".chanctl", "app.pid"), "utf8").catch(() => "");
  return [...text.matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid)).filter((pid) => pid > 1);
}

/** The living members of process groups: `4711 node`. A process that has ended and that nobody has asked about is dead. */
export async function membersOf(groups: readonly number[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pgid=,pid=,stat=,comm="]);
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([group, , state = ""]) => groups.includes(Number(group)) && !state.startsWith("Z"))
    .map(([, pid, , name]) => `${pid} ${name}`);
}

/** The processes that a process has started and not yet outlived. Linux only: none elsewhere. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}
