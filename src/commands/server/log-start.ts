import { open } from "node:fs/promises";
import { join } from "node:path";

/** The longest first line that is read of a log: a command line has that many bytes at most, usually far fewer. */
const MAX_START_BYTES = 65_536;

/** What `chanctl dev` and its app have told; `stateFolder` is `.chanctl`. */
export function devLogPath(stateFolder: string): string {
  return join(stateFolder, "dev.log");
}

/** The process whose log this is, by the log's first line; `undefined` where there is no log that can be read. */
export async function readLogPid(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_START_BYTES));
    const start: unknown = JSON.parse(buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? "");
    if (typeof start !== "object" || start === null || !("pid" in start)) return undefined;
    return typeof start.pid === "number" ? start.pid : undefined;
  } catch {
    return undefined;
  }
}
