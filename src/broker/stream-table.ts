import type { Database } from "better-sqlite3";
import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import type { Segment } from "./stream-chain.ts";
import { createChains } from "./stream-chain.ts";
import type { Body, ProducerStamp } from "./stream-operation.ts";
import type { ProducerState } from "./judge-producer.ts";

/** A stream of Durable Streams, as a row of `streams`. */
export interface StreamRecord {
  readonly id: number;
  readonly path: string;
  readonly incarnation: number;
  readonly mediaType: string;
  readonly tail: number;
  readonly bytes: number;
  readonly lastTime: number;
  readonly touchedAt: number;
  readonly isClosed: number;
  readonly lastSeq: string | null;
  readonly ttlMs: number | null;
  readonly expiresAt: number | null;
  readonly parent: number | null;
  readonly forkPosition: number;
  readonly isDeleted: number;
  /** Which append of which producer closed it, as JSON; `null` if it was not a producer's. */
  readonly closedBy: string | null;
}

const COLUMNS = `id, path, incarnation, content_type AS mediaType, tail, bytes, last_time AS lastTime,
  touched_at AS touchedAt, is_closed AS isClosed, last_seq AS lastSeq, ttl_ms AS ttlMs, expires_at AS expiresAt, parent,
  fork_position AS forkPosition, is_deleted AS isDeleted, closed_by AS closedBy`;

/** The replay window of a stream that keeps everything: later than any `Date`, and still a number that SQLite can add to. */
const FOREVER_MS = 8_640_000_000_000_000;

/** What the operations of Durable Streams read and write, as statements. */
export interface StreamTable {
  byPath(path: string): StreamRecord | undefined;
  byIncarnation(incarnation: number): StreamRecord | undefined;
  readonly chainOf: (stream: StreamRecord) => Segment[];
  /** Where the row ends that a position of a byte stream lies in or before. */
  endOfRowAfter(segment: Segment, position: number): number | undefined;
  insert(
    stream: Omit<
      StreamRecord,
      "id" | "bytes" | "touchedAt" | "lastSeq" | "isDeleted" | "isClosed" | "closedBy"
    >,
  ): void;
  /** Stores bodies after the tail. @returns the new tail. */
  append(stream: StreamRecord, bodies: readonly Body[], time: number): number;
  update(stream: Pick<StreamRecord, "id" | "lastSeq" | "isClosed" | "closedBy">): void;
  hasForks(incarnation: number): boolean;
  softDelete(id: number): void;
  remove(stream: StreamRecord): void;
  touch(incarnation: number, time: number): void;
  producer(incarnation: number, id: string): ProducerState | undefined;
  setProducer(incarnation: number, producer: ProducerStamp, time: number): void;
  /** @returns how many it forgot. */
  forgetProducers(before: number, limit: number): number;
}

/** Prepares the statements. */
export function createStreamTable(db: Database): StreamTable {
  const chainOf = createChains(db);
  const sql = prepare(db);
  return {
    byPath: (path) => sql.byPath.get(path),
    byIncarnation: (incarnation) => sql.byIncarnation.get(incarnation),
    chainOf,
    endOfRowAfter: ({ incarnation }, position) => sql.rowAfter.get(incarnation, position)?.position,
    insert: (stream) => void sql.insert.run({ ...stream, forever: FOREVER_MS }),
    append({ id, incarnation, mediaType, tail, bytes }, bodies, time) {
      const isJson = mediaType === JSON_MEDIA_TYPE;
      let position = tail;
      let total = bytes;
      for (const body of bodies) {
        const size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
        position += isJson ? 1 : size;
        total += size;
        sql.insertEntry.run(incarnation, position, time, body);
      }
      sql.advance.run({ id, tail: position, bytes: total, time });
      return position;
    },
    update: (stream) => void sql.update.run(stream),
    hasForks: (incarnation) => sql.fork.get(incarnation) !== undefined,
    softDelete: (id) => void sql.softDelete.run(id),
    remove({ id, incarnation }) {
      sql.remove.run(id);
      sql.removeProducers.run(incarnation);
      sql.endLife.run(incarnation);
    },
    touch: (incarnation, time) => void sql.touch.run(time, incarnation, time),
    producer: (incarnation, id) => sql.producer.get(incarnation, id),
    setProducer: (incarnation, { id, epoch, seq }, time) =>
      void sql.setProducer.run(incarnation, id, epoch, seq, time),
    forgetProducers: (before, limit) => sql.forgetProducers.run(before, limit).changes,
  };
}

function prepare(db: Database) {
  return {
    byPath: db.prepare<[string], StreamRecord>(`SELECT ${COLUMNS} FROM streams WHERE path = ?`),
    byIncarnation: db.prepare<[number], StreamRecord>(`SELECT ${COLUMNS} FROM streams WHERE incarnation = ?`),
    rowAfter: db.prepare<[number, number], { position: number }>(
      "SELECT position FROM messages WHERE incarnation = ? AND position > ? ORDER BY position LIMIT 1",
    ),
    insert: db.prepare<[Omit<StreamRecord, "id"> | object]>(
      `INSERT INTO streams (path, incarnation, content_type, tail, oldest, last_time, touched_at, ttl_ms, expires_at,
         parent, fork_position, replay_window_ms, inactivity_ttl_ms, max_messages, max_bytes)
       VALUES (@path, @incarnation, @mediaType, @tail, @tail, @lastTime, @lastTime, @ttlMs, @expiresAt,
         @parent, @forkPosition, @forever, 0, 0, 0)`,
    ),
    insertEntry: db.prepare<[number, number, number, Body]>(
      "INSERT INTO messages (incarnation, position, time, body) VALUES (?, ?, ?, ?)",
    ),
    advance: db.prepare<[{ id: number; tail: number; bytes: number; time: number }]>(
      `UPDATE streams SET tail = @tail, bytes = @bytes, last_time = @time, touched_at = @time,
         oldest_time = CASE WHEN oldest = tail THEN @time ELSE oldest_time END
       WHERE id = @id`,
    ),
    update: db.prepare<[Pick<StreamRecord, "id" | "lastSeq" | "isClosed" | "closedBy">]>(
      "UPDATE streams SET last_seq = @lastSeq, is_closed = @isClosed, closed_by = @closedBy WHERE id = @id",
    ),
    fork: db.prepare<[number]>("SELECT 1 FROM streams WHERE parent = ? LIMIT 1"),
    softDelete: db.prepare<[number]>("UPDATE streams SET is_deleted = 1 WHERE id = ?"),
    remove: db.prepare<[number]>("DELETE FROM streams WHERE id = ?"),
    removeProducers: db.prepare<[number]>("DELETE FROM producers WHERE incarnation = ?"),
    endLife: db.prepare<[number]>("INSERT INTO ended_lives (incarnation) VALUES (?)"),
    touch: db.prepare<[number, number, number]>(
      "UPDATE streams SET touched_at = ? WHERE incarnation = ? AND touched_at < ?",
    ),
    producer: db.prepare<[number, string], ProducerState>(
      "SELECT epoch, seq FROM producers WHERE incarnation = ? AND producer = ?",
    ),
    setProducer: db.prepare<[number, string, number, number, number]>(
      `INSERT INTO producers (incarnation, producer, epoch, seq, last_time) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, last_time = excluded.last_time`,
    ),
    forgetProducers: db.prepare<[number, number]>(
      `DELETE FROM producers WHERE (incarnation, producer) IN
         (SELECT incarnation, producer FROM producers WHERE last_time < ? ORDER BY last_time LIMIT ?)`,
    ),
  };
}
