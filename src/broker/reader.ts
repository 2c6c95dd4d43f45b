import Database from "better-sqlite3";
import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import { isOrigin } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { DueReader } from "./due-reader.ts";
import { byteLengthOf, cutEntries } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { prepareFindKey } from "./key-table.ts";
import type { FindKey, KeyRow } from "./key-table.ts";
import { readStore } from "./read-store.ts";
import { createChains, offsetAt, positionIn } from "./stream-chain.ts";
import type { Segment } from "./stream-chain.ts";
import { STREAM_COLUMNS, toStreamInfo } from "./stream-info.ts";
import type { StreamInfo, StreamRow } from "./stream-info.ts";
import type { Body } from "./stream-operation.ts";
import { SubscriptionReader } from "./subscription-reader.ts";

/** What comes after an offset. */
export type Page =
  | {
      readonly kind: "entries";
      readonly entries: readonly Entry[];
      /** The offset of a position in the stream: a fork's entries are of several lives. */
      readonly offsetAt: (position: number) => Offset;
      /** Whether nothing came after them when they were read. */
      readonly isTail: boolean;
      readonly isClosed: boolean;
      /** When the oldest of them was stored, in ms since 1970. */
      readonly time: number;
    }
  /** The reader is at the tail. */
  | { readonly kind: "end" }
  /** Something after the offset was missed and can no longer be read, or the offset is of another life. */
  | { readonly kind: "gone" };

export interface PageRequest {
  readonly after: Offset;
  /** Entries older than this may not be read, in ms since 1970. */
  readonly notBefore: number;
  readonly maxEntries: number;
  /** A page ends with the message that exceeds this, so it always has one; bytes are cut there. */
  readonly maxBytes: number;
}

/** Paths from one to another, at most so many. */
export interface PathRange {
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly after: string;
  /** Exclusive. */
  readonly to: string;
  readonly limit: number;
}

interface EntryRow {
  readonly position: number;
  readonly time: number;
  readonly body: Body;
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
  readonly #chainOf: ReturnType<typeof createChains>;
  readonly #findKey: FindKey;
  /** What is due for maintenance, on the same connection. */
  readonly due: DueReader;
  /** Subscriptions of Durable Streams, on the same connection. */
  readonly subscriptions: SubscriptionReader;

  constructor(file: string) {
    this.#db = new Database(file, { readonly: true, fileMustExist: true });
    this.#sql = prepare(this.#db);
    this.#chainOf = createChains(this.#db);
    this.#findKey = prepareFindKey(this.#db);
    this.due = new DueReader(this.#db);
    this.subscriptions = new SubscriptionReader(this.#db);
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

  /** The streams whose paths are in a range, in the order of their paths; none that was deleted. */
  streams(range: PathRange): StreamInfo[] {
    return readStore(this.#db, () => this.#sql.streams.all(range).map(toStreamInfo));
  }

  /** The lives that a stream reads from, the earliest first; more than one for a fork. */
  chainOf(stream: StreamInfo): Segment[] {
    return readStore(this.#db, () => this.#chainOf(stream));
  }

  /** The next entries after an offset, decided by what may be read now. */
  page(path: string, request: PageRequest): Page {
    return readStore(this.#db, () => this.#page(path, request));
  }

  #page(path: string, request: PageRequest): Page {
    const { after } = request;
    const stream = this.stream(path);
    if (stream === undefined) return isOrigin(after) ? { kind: "end" } : { kind: "gone" };
    if (isOrigin(after) && stream.hasEarlierLife) return { kind: "gone" };
    const chain = this.#chainOf(stream);
    const from = positionIn(chain, after);
    if (from === undefined) return { kind: "gone" };
    if (from === stream.tail) return { kind: "end" };
    const { entries, time } = this.#entries(stream, { chain, from, request });
    const last = entries.at(-1);
    if (last === undefined) return { kind: "gone" };
    return {
      kind: "entries",
      entries,
      offsetAt: (position) => offsetAt(chain, position),
      isTail: last.position === stream.tail,
      isClosed: stream.isClosed,
      time,
    };
  }

  #entries(
    { mediaType, tail }: StreamInfo,
    { chain, from, request }: { chain: readonly Segment[]; from: number; request: PageRequest },
  ): { entries: Entry[]; time: number } {
    const isJson = mediaType === JSON_MEDIA_TYPE;
    const { notBefore, maxEntries, maxBytes } = request;
    const entries: Entry[] = [];
    let bytes = 0;
    let oldest = Number.POSITIVE_INFINITY;
    let next = from;
    for (const { incarnation, to } of chain) {
      if (next >= to) continue;
      const found: Entry[] = [];
      for (const { position, time, body } of this.#sql.after.iterate(incarnation, next, maxEntries)) {
        const entry = { position, body };
        const start = position - (isJson ? 1 : byteLengthOf(entry));
        // A hole is what was pruned; an old entry is what will be. Both were missed by whoever stands before them.
        if (start > (found.at(-1)?.position ?? next) || time < notBefore || start >= to) break;
        found.push(entry);
        oldest = Math.min(oldest, time);
        // Of a long row that was begun before, or goes on where the fork does not, only what is read counts: a page that
        // had the beginning of a character there, and nothing else, would bring nobody on.
        bytes += isJson ? byteLengthOf(entry) : Math.min(position, to) - Math.max(start, next);
        if (bytes > maxBytes) break;
      }
      entries.push(...(isJson ? found : cutEntries(found, { from: next, to })));
      next = entries.at(-1)?.position ?? next;
      if (next < to || bytes > maxBytes || entries.length >= maxEntries) break;
    }
    const to = Math.min(tail, from + maxBytes);
    return { entries: isJson ? entries : cutEntries(entries, { from, to }), time: oldest };
  }

  /**
   * The position before the first entry that is not older than `time`; the tail if all are.
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

  /** The time of the last entry of all, in ms since 1970; 0 in an empty store. */
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
    streams: db.prepare<[PathRange], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams
       WHERE path >= @from AND path > @after AND path < @to AND is_deleted = 0 ORDER BY path LIMIT @limit`,
    ),
    after: db.prepare<[number, number, number], EntryRow>(
      "SELECT position, time, body FROM messages WHERE incarnation = ? AND position > ? ORDER BY position LIMIT ?",
    ),
    timeAt: db.prepare<[number, number], { time: number }>(
      "SELECT time FROM messages WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1",
    ),
  };
}
