import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endGroup } from "../platform/process-group.ts";
import { identifyProcess, isGroupOf } from "../platform/process-identity.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";

const GRACE_MS = 5_000;

interface RecordOptions {
  readonly stateFolder: string;
  readonly logger: Logger;
}

/**
 * Leaves word in `<stateFolder>/app.pid` of the app's process group, so that the next start can end it if we
 * are killed before we could. Synchronous: there is no moment in which the app runs and nothing is known of it.
 *
 * Never throws: the app runs without a record too, so one that cannot be written is a warning.
 */
export function recordApp(pid: number, { stateFolder, logger }: RecordOptions): void {
  const path = recordPath(stateFolder);
  try {
    const leader = identifyProcess(pid);
    if (leader === undefined) return;
    mkdirSync(stateFolder, { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(leader));
    renameSync(`${path}.new`, path);
  } catch (error) {
    const loss = "if chanctl is killed, end the app by hand";
    warn(logger, `${path} cannot be written, ${loss}: ${messageOf(error)}`);
  }
}

/** Takes the word back: the app's group is gone. Never throws: a record that stays names no process of today. */
export function forgetApp({ stateFolder, logger }: RecordOptions): void {
  const path = recordPath(stateFolder);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    warn(logger, `${path} cannot be removed: ${messageOf(error)}`);
  }
}

/**
 * Ends the app that a chanctl left running when it was killed (SIGTERM, after 5 s SIGKILL). Call it only
 * where no other chanctl can be running in the project, with the store's lock held.
 *
 * @returns The id of the group that was ended; `undefined` if there was none.
 */
export async function endOrphan(options: RecordOptions): Promise<number | undefined> {
  const leader = readRecord(options.stateFolder);
  const isOurs = leader !== undefined && isGroupOf(leader);
  if (isOurs) await endGroup(leader.pid, { graceMs: GRACE_MS });
  forgetApp(options);
  return isOurs ? leader.pid : undefined;
}

function warn(logger: Logger, message: string): void {
  logger({ level: "warn", event: "app-record-failed", message });
}

function recordPath(stateFolder: string): string {
  return join(stateFolder, "app.pid");
}

/** A record that cannot be read is none. A pid of 0 or 1 would signal our own group, or everybody. */
function readRecord(stateFolder: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(recordPath(stateFolder), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startedAt } = value as Partial<Record<keyof ProcessIdentity, unknown>>;
    if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 1) return undefined;
    return typeof startedAt === "string" ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}
