import type { Database } from "better-sqlite3";
import type { Appended, Refused } from "./operation.ts";

/** What is remembered of a publish under its key. */
export interface KeyRow {
  readonly fingerprint: string;
  readonly incarnation: number;
  readonly first: number;
  readonly count: number;
  readonly time: number;
}

/** The columns of a `KeyRow`, in the order in which rows are inserted. */
export const KEY_COLUMNS = "fingerprint, incarnation, first, count, time";

/** Finds what is remembered under a key of a stream's. */
export type FindKey = (stream: number, owner: string, key: string) => KeyRow | undefined;

/** Looks into both tables: the one that is written to now, and yesterday's. */
export function prepareFindKey(db: Database): FindKey {
  const [newer, older] = ["keys_0", "keys_1"].map((table) =>
    db.prepare<[number, string, string], KeyRow>(
      `SELECT ${KEY_COLUMNS} FROM ${table} WHERE stream = ? AND owner = ? AND key = ?`,
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
