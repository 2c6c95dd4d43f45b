import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { groupMembers, listProcesses } from "./process-stat.ts";

/** The process that listens on a port. */
export interface PortOwner {
  readonly pid: number;
  /** The program's name: `node`. */
  readonly command: string;
  /** Its working directory; absent where it may not be seen. */
  readonly cwd?: string;
}

/**
 * Finds who listens on a TCP port: Linux through `/proc`, macOS through `lsof` (not tested there).
 *
 * @returns `undefined` if nobody does, if it is another user's process, and on other systems.
 */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  if (process.platform === "linux") return findInProc(port);
  if (process.platform === "darwin") return findWithLsof(port);
  return undefined;
}

/** Whose the sockets are that listen on a port. `unknown`: nobody's, another user's, or not to be told here. */
export type PortHolder = "group" | "other" | "unknown";

/**
 * Whether it is a process group that listens on a port. All sockets of that number must be the group's: an app on `::1`
 * and a foreign server on `127.0.0.1` may share it, and the foreign one would be reached (CWE-300).
 */
export async function findPortHolder(
  port: number,
  { group }: { readonly group: number },
): Promise<PortHolder> {
  if (await isHeldByGroup(port, group)) return "group";
  return (await findPortOwner(port)) === undefined ? "unknown" : "other";
}

async function isHeldByGroup(port: number, group: number): Promise<boolean> {
  if (process.platform === "linux") {
    const sockets = await findSockets(port);
    const held = await Promise.all(groupMembers(group).map(({ pid }) => openFilesOf(pid)));
    const files = new Set(held.flat());
    return sockets.size > 0 && [...sockets].every((socket) => files.has(socket));
  }
  if (process.platform !== "darwin") return false;
  const groups = valuesOf("g", await lsof(["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fg"]));
  return groups.length > 0 && groups.every((each) => each === String(group));
}

async function findInProc(port: number): Promise<PortOwner | undefined> {
  const sockets = await findSockets(port);
  if (sockets.size === 0) return undefined;
  for (const pid of listProcesses()) {
    if ((await openFilesOf(pid)).some((file) => sockets.has(file))) return describe(pid);
  }
  return undefined;
}

async function findSockets(port: number): Promise<ReadonlySet<string>> {
  const tables = await Promise.all([readTable("/proc/net/tcp"), readTable("/proc/net/tcp6")]);
  return new Set(tables.flatMap((table) => listeningSockets(table, port)));
}

async function readTable(path: string): Promise<string> {
  return readFile(path, "latin1").catch(() => "");
}

const LISTEN = "0A";

/**
 * The sockets that listen on the port, as `/proc/<pid>/fd` names them.
 *
 * @see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
function listeningSockets(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix))
    .map((fields) => `socket:[${fields[9]}]`);
}

/** What its descriptors are; nothing where they may not be seen. */
async function openFilesOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  return Promise.all(descriptors.map((each) => readlink(`${folder}/${each}`).catch(() => "")));
}

/** The first argument names the program; `comm` is the main thread's name, which newer Node sets to `MainThread`. */
async function describe(pid: number): Promise<PortOwner> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  const command = basename(commandLine.split("\0")[0] ?? "") || "unknown";
  return { pid, command, ...(cwd === undefined ? {} : { cwd }) };
}

const run = promisify(execFile);
const LSOF_TIMEOUT_MS = 3_000;

async function findWithLsof(port: number): Promise<PortOwner | undefined> {
  const listener = await lsof(["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]);
  const pid = Number(valuesOf("p", listener)[0]);
  if (!Number.isInteger(pid)) return undefined;
  const [cwd] = valuesOf("n", await lsof(["-a", "-p", String(pid), "-d", "cwd", "-Fn"]));
  const [command = "unknown"] = valuesOf("c", listener);
  return { pid, command, ...(cwd === undefined ? {} : { cwd }) };
}

/** The lines of `lsof -F`: a field's letter and its value each. */
async function lsof(args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run("lsof", args, { timeout: LSOF_TIMEOUT_MS }).catch(() => ({ stdout: "" }));
  return stdout.split("\n");
}

function valuesOf(field: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(field)).map((line) => line.slice(1));
}
