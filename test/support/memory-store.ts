import Database from "better-sqlite3";
import { createApply } from "#src/broker/apply.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import { migrate } from "#src/broker/schema.ts";

const TABLES = [
  "meta",
  "streams",
  "messages",
  "ended_lives",
  "producers",
  "subscriptions",
  "subscription_links",
  "signing_keys",
  "keys_0",
  "keys_1",
];

/** A migrated database in memory with `apply` on it: what the writer thread has, without the thread. */
export interface MemoryStore {
  apply(...operations: readonly Operation[]): Result[];
  /** Every row of the tables; of all if none are named. */
  dump(...tables: readonly string[]): Record<string, unknown[]>;
}

/** Opens an empty store in memory; `code` may be another `createApply`, with a fault in it. */
export function openMemoryStore(
  code: { readonly createApply: typeof createApply } = { createApply },
): MemoryStore {
  const db = new Database(":memory:");
  migrate(db, ":memory:");
  const apply = code.createApply(db);
  return {
    apply: (...operations) => db.transaction(() => operations.map(apply))(),
    dump: (...tables) =>
      Object.fromEntries(
        (tables.length === 0 ? TABLES : tables).map((table) => [
          table,
          db.prepare(`SELECT * FROM ${table}`).all(),
        ]),
      ),
  };
}
