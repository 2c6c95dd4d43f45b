import Database from "better-sqlite3";
import { createApply } from "#src/broker/apply.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import { migrate } from "#src/broker/schema.ts";

const TABLES = [
  "meta",
  "streams",
  "messages",
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
  /** Every row of every table. */
  dump(): Record<string, unknown[]>;
}

/** Opens an empty store in memory. */
export function openMemoryStore(): MemoryStore {
  const db = new Database(":memory:");
  migrate(db, ":memory:");
  const apply = createApply(db);
  return {
    apply: (...operations) => db.transaction(() => operations.map(apply))(),
    dump: () =>
      Object.fromEntries(TABLES.map((table) => [table, db.prepare(`SELECT * FROM ${table}`).all()])),
  };
}
