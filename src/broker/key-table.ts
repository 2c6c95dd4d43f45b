import type { Database } from "better-sqlite3";
import type { AppendKey, Appended, Refused, RotateKeysOperation } from "./operation.ts";

/** What is remembered of a publish under its key. */
export interface KeyRow {
  readonly fingerprint: string;
  readonly incarnation: number;
  readonly first: number;
  readonly count: number;
  readonly time: number;
}

/** The columns of a `KeyRow`, in the order in which rows are inserted. */
const COLUMNS = "fingerprint, incarnation, first, count, time";

/** Finds what is remembered under a key of a stream's. */
export type FindKey = (stream: number, owner: string, key: string) => KeyRow | undefined;

/** A publish to remember. */
interface KeyInsert extends Omit<KeyRow, "fingerprint"> {
  readonly stream: number;
  readonly key: AppendKey;
}

/** What `apply` reads and writes of idempotency keys, as statements. */
export interface KeyTable {
  readonly find: FindKey;
  /** Remembers a publish in the table of the current generation. */
  insert(row: KeyInsert): void;
  /** Forgets the older table and makes it the current one, unless `generation` is no longer current. */
  rotate(operation: RotateKeysOperation): void;
}

/** Prepares the statements. */
export function createKeyTable(db: Database): KeyTable {
  const sql = prepare(db);
  return {
    find: prepareFindKey(db),
    insert({ stream, key: { owner, key, fingerprint }, incarnation, first, count, time }) {
      const insert = isEven(generation()) ? sql.insert0 : sql.insert1;
      insert.run(stream, owner, key, fingerprint, incarnation, first, count, time);
    },
    rotate({ generation: expected, time }) {
      if (generation() !== expected) return;
      (isEven(expected) ? sql.clear1 : sql.clear0).run();
      sql.setMeta.run(expected + 1, "key_generation");
      sql.setMeta.run(time, "keys_rotated_at");
    },
  };

  function generation(): number {
    return sql.generation.get()?.value ?? 0;
  }
}

/** Looks into both tables: the one that is written to now, and yesterday's. */
export function prepareFindKey(db: Database): FindKey {
  const [newer, older] = ["keys_0", "keys_1"].map((table) =>
    db.prepare<[number, string, string], KeyRow>(
      `SELECT ${COLUMNS} FROM ${table} WHERE stream = ? AND owner = ? AND key = ?`,
    ),
  );
  return (...key) => newer?.get(...key) ?? older?.get(...key);
}

/** What a repeat comes to: the ids of the first time, or a refusal if something else was sent then. */
export function toRepeat(known: KeyRow, fingerprint: string): Appended | Refused {
  if (known.fingerprint !== fingerprint) return { kind: "refused", reason: "key-reused" };
  const { incarnation, first, count, time } = known;
  return { kind: "appended", incarnation, first, count, time, isRepeat: true };
}

/** The generations take turns: an even one is written to `keys_0`. */
function isEven(generation: number): boolean {
  return generation % 2 === 0;
}

function prepare(db: Database) {
  const insert = (table: string) =>
    db.prepare<[number, string, string, string, number, number, number, number]>(
      `INSERT INTO ${table} (stream, owner, key, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  return {
    generation: db.prepare<[], { value: number }>("SELECT value FROM meta WHERE name = 'key_generation'"),
    setMeta: db.prepare<[number, string]>("UPDATE meta SET value = ? WHERE name = ?"),
    insert0: insert("keys_0"),
    insert1: insert("keys_1"),
    clear0: db.prepare("DELETE FROM keys_0"),
    clear1: db.prepare("DELETE FROM keys_1"),
  };
}
