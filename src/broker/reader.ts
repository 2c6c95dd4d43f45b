import Database from "better-sqlite3";
import { isOrigin } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { DueReader } from "./due-reader.ts";
import { prepareFindKey } from "./key-row.ts";
import type { FindKey, KeyRow } from "./key-row.ts";
import { readStore } from "./read-store.ts";
import { STREAM_COLUMNS, toStreamInfo } from "./stream-info.ts";
import type { StreamInfo, StreamRow } from "./stream-info.ts";

/** A message as it is stored: the same bytes for every reader. */
export interface StoredMessage {
  /** Where it ends; with the incarnation this is its id. */
  readonly position: number;
  readonly json: string;
}

/** What comes after an offset. */
export type Page =
  | {
      readonly kind: "messages";
      readonly incarnation: number;
      readonly messages: readonly StoredMessage[];
      /** When the oldest of them was stored, in ms since 1970. */
      readonly time: number;
    }
  /** The reader is at the tail. */
  | { readonly kind: "end" }
  /** Something after the offset was missed and can no longer be read, or the offset is of another life. */
  | { readonly kind: "gone" };

export interface PageRequest {
  readonly after: Offset;
  /** Messages older than this may not be read, in ms since 1970. */
  readonly notBefore: number;
  readonly maxMessages: number;
  /** A page ends with the message that exceeds this, so it always has one. */
  readonly maxBytes: number;
}

/**
 * Reads the store on a connection that cannot write.
 *
 * Every call is one synchronous read: no read transaction lives across an `await`, or the WAL could not shrink.
 * It may be ahead of what the hub has announced; delivery is idempotent by offset, so that does no harm.
 */
export class Reader {
  readonly #db: Database.Database;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #findKey: FindKey;
  /** What is due for maintenance, on the same connection. */
  readonly due: DueReader;

  constructor(file: string) {
    this.#db = new Database(file, { readonly: true, fileMustExist: true });
    this.#sql = prepare(this.#db);
    this.#findKey = prepareFindKey(this.#db);
    this.due = new DueReader(this.#db);
  }

  /** The stream at a path; `undefined` if nothing was ever written to it. */
  stream(path: string): StreamInfo | undefined {
    const row = readStore(this.#db, () => this.#sql.stream.get(path));
    return row === undefined ? undefined : toStreamInfo(row);
  }

  /** What was stored in a stream under a publisher's key; `undefined` if nothing was, or it is forgotten. */
  key(path: string, { owner, key }: { readonly owner: string; readonly key: string }): KeyRow | undefined {
    return readStore(this.#db, () => {
      const stream = this.#sql.streamId.get(path);
      return stream === undefined ? undefined : this.#findKey(stream.id, owner, key);
    });
  }

  /** The next messages after an offset, decided by what may be read now. */
  page(path: string, request: PageRequest): Page {
    return readStore(this.#db, () => this.#page(path, request));
  }

  #page(path: string, { after, notBefore, maxMessages, maxBytes }: PageRequest): Page {
    const stream = this.stream(path);
    if (stream === undefined) return isOrigin(after) ? { kind: "end" } : { kind: "gone" };
    if (isOrigin(after) ? stream.hasEarlierLife : after.incarnation !== stream.incarnation)
      return { kind: "gone" };
    if (after.position > stream.tail) return { kind: "gone" };
    if (after.position === stream.tail) return { kind: "end" };
    const messages: StoredMessage[] = [];
    let bytes = 0;
    let oldest = 0;
    let next = after.position + 1;
    for (const row of this.#sql.after.iterate(stream.incarnation, after.position, maxMessages)) {
      // A hole is what was pruned; an old message is what will be. Both were missed by whoever stands before them.
      if (row.position !== next || row.time < notBefore) break;
      if (messages.push({ position: row.position, json: row.body }) === 1) oldest = row.time;
      bytes += row.body.length;
      next += 1;
      if (bytes > maxBytes) break;
    }
    if (messages.length === 0) return { kind: "gone" };
    return { kind: "messages", incarnation: stream.incarnation, messages, time: oldest };
  }

  /**
   * The position before the first message that is not older than `time`; the tail if all are.
   *
   * A binary search over positions: time never goes back within a stream, so it needs no index.
   */
  positionAtTime({ incarnation, oldest, tail }: StreamInfo, time: number): number {
    let low = oldest;
    let high = tail;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = readStore(this.#db, () => this.#sql.timeAt.get(incarnation, middle + 1));
      if (found !== undefined && found.time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The time of the last message of all, in ms since 1970; 0 in an empty store. */
  lastTime(): number {
    return this.#sql.meta.get("last_time")?.value ?? 0;
  }

  close(): void {
    this.#db.close();
  }
}

function prepare(db: Database.Database) {
  return {
    meta: db.prepare<[string], { value: number }>("SELECT value FROM meta WHERE name = ?"),
    stream: db.prepare<[string], StreamRow>(`SELECT ${STREAM_COLUMNS} FROM streams WHERE path = ?`),
    streamId: db.prepare<[string], { id: number }>("SELECT id FROM streams WHERE path = ?"),
    after: db.prepare<[number, number, number], { position: number; time: number; body: string }>(
      "SELECT position, time, body FROM messages WHERE incarnation = ? AND position > ? ORDER BY position LIMIT ?",
    ),
    timeAt: db.prepare<[number, number], { time: number }>(
      "SELECT time FROM messages WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1",
    ),
  };
}
