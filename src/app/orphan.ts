import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endGroup } from "../platform/process-group.ts";
import { identifyProcess, isGroupOf } from "../platform/process-identity.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";

const GRACE_MS = 5_000;
/** One that ends when it is asked to is not worth a line. */
const TELL_AFTER_MS = 300;

interface RecordOptions {
  readonly stateFolder: string;
  readonly logger: Logger;
}

/**
 * Leaves word in `<stateFolder>/app.pid` of the process groups of the app, so that the next start can end them if we
 * are killed before we could: one, or up to three while one run of the app replaces another. Synchronous: there is no moment in
 * which a run of the app lives and nothing is known of it.
 *
 * Never throws: the app runs without a record too, so one that cannot be written is a warning.
 */
export class AppRecord {
  readonly #options: RecordOptions;
  #leaders: readonly ProcessIdentity[] = [];

  constructor(options: RecordOptions) {
    this.#options = options;
  }

  /** A process group was started. */
  add(group: number): void {
    try {
      const leader = identifyProcess(group);
      if (leader !== undefined) this.#write([...this.#leaders, leader]);
    } catch (error) {
      const loss = "if chanctl is killed, end the app by hand";
      const path = recordPath(this.#options.stateFolder);
      warn(this.#options.logger, `${path} cannot be written, ${loss}: ${messageOf(error)}`);
    }
  }

  /** A process group is gone. */
  remove(group: number): void {
    try {
      this.#write(this.#leaders.filter(({ pid }) => pid !== group));
    } catch (error) {
      // A record that stays names no process of today.
      const path = recordPath(this.#options.stateFolder);
      warn(this.#options.logger, `${path} cannot be removed: ${messageOf(error)}`);
    }
  }

  #write(leaders: readonly ProcessIdentity[]): void {
    this.#leaders = leaders;
    const { stateFolder } = this.#options;
    const path = recordPath(stateFolder);
    if (leaders.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    mkdirSync(stateFolder, { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(leaders), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

/**
 * Ends what a chanctl left running of the app when it was killed (SIGTERM, after 5 s SIGKILL). Call it only
 * where no other chanctl can be running in the project, with the store's lock held.
 *
 * @returns The ids of the groups that were ended.
 */
export async function endOrphans({ stateFolder, logger }: RecordOptions): Promise<readonly number[]> {
  const groups = readRecord(stateFolder)
    .filter(isGroupOf)
    .map(({ pid }) => pid);
  // It can take all of the grace, in which a start that says nothing looks like one that hangs.
  const tell = setTimeout(() => tellOfOrphans(groups, logger), TELL_AFTER_MS);
  try {
    await Promise.all(groups.map((group) => endGroup(group, { graceMs: GRACE_MS })));
  } finally {
    clearTimeout(tell);
  }
  try {
    rmSync(recordPath(stateFolder), { force: true });
  } catch (error) {
    warn(logger, `${recordPath(stateFolder)} cannot be removed: ${messageOf(error)}`);
  }
  return groups;
}

function tellOfOrphans(groups: readonly number[], logger: Logger): void {
  if (groups.length === 0) return;
  const message = `ending what the last run left of the app (pid ${groups.join(", ")}), for up to ${GRACE_MS / 1_000} s`;
  logger({ level: "info", event: "app-left-over", message, fields: { pids: groups } });
}

function warn(logger: Logger, message: string): void {
  logger({ level: "warn", event: "app-record-failed", message });
}

function recordPath(stateFolder: string): string {
  return join(stateFolder, "app.pid");
}

/** A record that cannot be read is none. */
function readRecord(stateFolder: string): ProcessIdentity[] {
  try {
    const value: unknown = JSON.parse(readFileSync(recordPath(stateFolder), "utf8"));
    return [value].flat().filter(isIdentity);
  } catch {
    return [];
  }
}

/** A pid of 0 or 1 would signal our own group, or everybody. */
function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startedAt } = value as Partial<Record<keyof ProcessIdentity, unknown>>;
  return typeof pid === "number" && Number.isInteger(pid) && pid > 1 && typeof startedAt === "string";
}
