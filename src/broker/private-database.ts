import { chmodSync, closeSync, openSync } from "node:fs";
import { errorCodeOf } from "../shared/errors.ts";

/**
 * Makes the file of a database, if it is not there, for its owner's eyes only, whatever the umask (CWE-732). SQLite
 * gives its WAL and its journals the same mode.
 *
 * A file that is there is never opened: closing it would drop the locks that this process has on it.
 *
 * Never throws: SQLite opens the file next, and says what is wrong with it.
 *
 * @see https://www.sqlite.org/howtocorrupt.html, section 2.2
 */
export function makePrivateDatabase(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (errorCodeOf(error) === "EEXIST") closeToOthers(file);
  }
}

function closeToOthers(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // Another user's: its folder is for the owner alone.
  }
}
