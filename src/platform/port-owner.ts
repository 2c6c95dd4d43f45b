import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { listProcesses } from "./process-stat.ts";

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

async function findInProc(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all([readTable("/proc/net/tcp"), readTable("/proc/net/tcp6")]);
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)));
  if (sockets.size === 0) return undefined;
  for (const pid of listProcesses()) {
    if (await holdsOneOf(pid, sockets)) return describe(pid);
  }
  return undefined;
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

async function holdsOneOf(pid: number, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`${folder}/${descriptor}`).catch(() => "");
    if (sockets.has(target)) return true;
  }
  return false;
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
  const pid = Number(listener.get("p"));
  if (!Number.isInteger(pid)) return undefined;
  const cwd = (await lsof(["-a", "-p", String(pid), "-d", "cwd", "-Fn"])).get("n");
  return { pid, command: listener.get("c") ?? "unknown", ...(cwd === undefined ? {} : { cwd }) };
}

/** The first value of each field of `lsof -F`: lines of one letter and a value. */
async function lsof(args: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  const { stdout } = await run("lsof", args, { timeout: LSOF_TIMEOUT_MS }).catch(() => ({ stdout: "" }));
  for (const line of stdout.split("\n")) {
    if (line !== "" && !fields.has(line.charAt(0))) fields.set(line.charAt(0), line.slice(1));
  }
  return fields;
}
