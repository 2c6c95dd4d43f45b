import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { PortOwner } from "./port-owner.ts";
import { readRunFile } from "./run-file.ts";

/**
 * Who listens on a port, as a person knows it: `node (pid 812, ~/work/old-shop)`; a chanctl by its name and its
 * project's folder.
 */
export async function describePortOwner(owner: PortOwner): Promise<string> {
  const { command, pid, cwd } = owner;
  const project = await findProjectOf(owner);
  const folder = project ?? cwd;
  const where = folder === undefined ? "" : `, ${folder.replace(homedir(), "~")}`;
  return `${project === undefined ? command : "chanctl"} (pid ${pid}${where})`;
}

/** The folder of the project that a process serves, if it is a chanctl: it was started there or somewhere below. */
async function findProjectOf({ pid, cwd }: PortOwner): Promise<string | undefined> {
  let folder = cwd;
  while (folder !== undefined) {
    const run = await readRunFile(join(folder, ".chanctl")).catch(() => undefined); // of another user
    if (run?.pid === pid) return folder;
    const parent = dirname(folder);
    folder = parent === folder ? undefined : parent;
  }
  return undefined;
}
