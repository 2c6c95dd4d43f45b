import Database from "better-sqlite3";
import { dirname } from "node:path";
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
        const who = holder();
        const stop = who === undefined ? "" : `kill ${who.pid}     stops that one, or\n`;
        throw new ChanctlError(
          "store_in_use",
          `the store in ${dirname(file)} is in use by ${who === undefined ? "another process" : `chanctl (pid ${who.pid}, ${who.url})`}`,
          { cause, hint: `${stop}work in another folder: one process serves a store` },
        );
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
