import { join } from "node:path";
import Database from "better-sqlite3";
import type { TestServer } from "./server.ts";

/** A stream as it is on the disk, whatever a reader would be told of it. */
export interface StoredStream {
  readonly incarnation: number;
  readonly replayWindowMs: number;
  readonly inactivityTtlMs: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** The positions of its messages. */
  readonly positions: readonly number[];
}

/** Reads the store of a server that runs; `undefined` if it has no such stream. */
export function readStored({ root }: Pick<TestServer, "root">, path: string): StoredStream | undefined {
  const db = new Database(join(root, ".chanctl", "channels.sqlite"), { readonly: true });
  try {
    const row = db
      .prepare<[string], Omit<StoredStream, "positions">>(
        `SELECT incarnation, replay_window_ms AS replayWindowMs, inactivity_ttl_ms AS inactivityTtlMs,
           max_messages AS maxMessages, max_bytes AS maxBytes FROM streams WHERE path = ?`,
      )
      .get(path);
    if (row === undefined) return undefined;
    const positions = db
      .prepare<[number], number>("SELECT position FROM messages WHERE incarnation = ? ORDER BY position")
      .pluck()
      .all(row.incarnation);
    return { ...row, positions };
  } finally {
    db.close();
  }
}
