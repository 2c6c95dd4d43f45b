import Database from "better-sqlite3";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorCodeOf, messageOf } from "../shared/errors.ts";
import { KNOWN_SCHEMA } from "./schema.ts";
import type { StoreReport } from "./store-probe.ts";

const [folder = ""] = process.argv.slice(2);

await tell({ kind: "sqlite", version: String(readOne(new Database(":memory:"), "SELECT sqlite_version()")) });
const file = join(folder, "channels.sqlite");
if (existsSync(file)) {
  await tell({ kind: "lock", isHeld: isLocked(join(folder, "lock.sqlite")) });
  await probe();
}
process.disconnect();

async function probe(): Promise<void> {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 1_000 });
    const found = Number(db.pragma("user_version", { simple: true }));
    await tell({ kind: "schema", found, known: KNOWN_SCHEMA });
    if (found > 0 && found <= KNOWN_SCHEMA) {
      const time = readOne(db, "SELECT value FROM meta WHERE name = 'last_time'");
      await tell({ kind: "clock", lastTime: Number(time) });
    }
    const rows = db.pragma("quick_check(3)");
    const problems = (Array.isArray(rows) ? rows : [])
      .map((row: unknown) => String(Object.values(Object(row))[0]))
      .filter((problem) => problem !== "ok");
    await tell({ kind: "checked", problems });
  } catch (cause) {
    await tell({ kind: "failed", code: errorCodeOf(cause), message: messageOf(cause) });
  }
}

/** A reader is refused while somebody has the lock exclusively; it holds its own for some microseconds. */
function isLocked(lock: string): boolean {
  if (!existsSync(lock)) return false;
  try {
    const db = new Database(lock, { readonly: true, fileMustExist: true, timeout: 0 });
    readOne(db, "SELECT count(*) FROM sqlite_schema");
    db.close();
    return false;
  } catch (cause) {
    return errorCodeOf(cause) === "SQLITE_BUSY";
  }
}

function readOne(db: Database.Database, sql: string): unknown {
  return db.prepare(sql).pluck().get();
}

/** Waits until it is sent: the next step may take long, or end this process. */
function tell(report: StoreReport): Promise<void> {
  return new Promise((resolve) => process.send?.(report, () => resolve()));
}
