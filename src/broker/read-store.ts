import type { Database } from "better-sqlite3";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

/**
 * Reads the store: an error of the disk is the store's trouble, and not a bug of ours.
 *
 * @throws {ChanctlError} `store_unavailable`.
 */
export function readStore<T>(db: Database, read: () => T): T {
  if (!db.open) throw new ChanctlError("store_unavailable", "the store is closed", { retryAfterSecs: 1 });
  try {
    return read();
  } catch (cause) {
    if (errorCodeOf(cause)?.startsWith("SQLITE_") !== true) throw cause;
    throw new ChanctlError("store_unavailable", `the store cannot be read: ${messageOf(cause)}`, {
      cause,
      retryAfterSecs: 1,
    });
  }
}
