import Database from "better-sqlite3";
import { dirname } from "node:path";
import { findLockHolder } from "../platform/lock-holder.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import { makePrivateDatabase } from "./private-database.ts";

/** The chanctl that serves a store. */
export interface StoreHolder {
  readonly pid: number;
  readonly url: string;
}

/**
 * Holds a store for this process alone: an exclusive transaction on a database of its own.
 *
 * The kernel drops its lock when the process ends, however it ends. A pid file was rejected: pids are reused, and
 * a process that was killed and not yet reaped looks alive.
 */
export class StoreLock {
  readonly #db: Database.Database;

  /**
   * @param holder names who has the store, for the error.
   * @throws {ChanctlError} `store_in_use`, `store_invalid`.
   */
  constructor(file: string, { holder }: { holder: () => StoreHolder | undefined }) {
    try {
      makePrivateDatabase(file);
      this.#db = new Database(file, { timeout: 0 });
      this.#db.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      if (errorCodeOf(cause) === "SQLITE_BUSY") {
        throw inUse(file, { known: holder(), pid: findLockHolder(file), cause });
      }
      throw new ChanctlError(
        "store_invalid",
        `the store in ${dirname(file)} cannot be locked: ${messageOf(cause)}`,
        {
          cause,
          hint: "check the disk and the permissions of the folder",
        },
      );
    }
  }

  /** Lets the next process have the store. */
  close(): void {
    this.#db.close();
  }
}

interface InUse {
  /** Who had the store when it was last told. */
  readonly known: StoreHolder | undefined;
  /** Who has it now, where that can be seen: one that is starting has not told its address yet. */
  readonly pid: number | undefined;
  readonly cause: unknown;
}

function inUse(file: string, { known, pid = known?.pid, cause }: InUse): ChanctlError {
  const url = known?.pid === pid && known !== undefined ? `, ${known.url}` : "";
  const who = pid === undefined ? "another process" : `chanctl (pid ${pid}${url})`;
  const stop = pid === undefined ? "" : `kill ${pid}     stops that one, or\n`;
  return new ChanctlError("store_in_use", `the store in ${dirname(file)} is in use by ${who}`, {
    cause,
    hint: `${stop}work in another folder: one process serves a store`,
  });
}
