import type { Database } from "better-sqlite3";
import { readStore } from "./read-store.ts";
import { OVER_LIMIT } from "./schema.ts";
import { STREAM_COLUMNS, toStreamInfo } from "./stream-info.ts";
import type { StreamInfo, StreamRow } from "./stream-info.ts";

interface UnusedQuery {
  readonly maxTtlMs: number;
  readonly limit: number;
  readonly isUnused: (stream: StreamInfo) => boolean;
}

/** Reads what of the store is due for maintenance. Each call reads a bounded number, the most overdue first. */
export class DueReader {
  readonly #db: Database;
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: Database) {
    this.#db = db;
    this.#sql = prepare(db);
  }

  /** Streams whose oldest message is over its replay window at `now`. */
  overWindow(now: number, limit: number): StreamInfo[] {
    return readStore(this.#db, () => this.#sql.overWindow.all(now, limit).map(toStreamInfo));
  }

  /** Streams that hold more than their `maxMessages` or `maxBytes`, by id, those after `afterId`. */
  overLimit({ afterId, limit }: { afterId: number; limit: number }): StreamInfo[] {
    return readStore(this.#db, () => this.#sql.overLimit.all(afterId, limit).map(toStreamInfo));
  }

  /** The position before the oldest message that a stream may keep under its limits. */
  positionUnderLimit({ incarnation, oldest, tail, bytes, maxMessages, maxBytes }: StreamInfo): number {
    const byCount = maxMessages === 0 ? oldest : Math.max(oldest, tail - maxMessages);
    if (maxBytes === 0) return byCount;
    return readStore(this.#db, () => {
      let kept = bytes;
      let position = oldest;
      for (const row of this.#sql.sizes.iterate(incarnation, oldest)) {
        if (kept <= maxBytes && position >= byCount) break;
        kept -= row.bytes;
        position = row.position;
      }
      return position;
    });
  }

  /**
   * Streams that nobody has published to for their `inactivityTtlMs` at `now`, of those that `isUnused` lets through.
   * None has one longer than `maxTtlMs`.
   */
  unused(now: number, { maxTtlMs, limit, isUnused }: UnusedQuery): StreamInfo[] {
    return readStore(this.#db, () => {
      const found: StreamInfo[] = [];
      for (const row of this.#sql.unused.iterate(now, maxTtlMs)) {
        const stream = toStreamInfo(row);
        if (isUnused(stream)) found.push(stream);
        if (found.length === limit) break;
      }
      return found;
    });
  }

  /** Streams whose TTL or expiry is over at `now` by what is stored, of those that `isExpired` lets through. */
  expired(
    now: number,
    { limit, isExpired }: { limit: number; isExpired: (stream: StreamInfo) => boolean },
  ): StreamInfo[] {
    return readStore(this.#db, () => {
      const found: StreamInfo[] = [];
      for (const row of this.#sql.expired.iterate(now)) {
        const stream = toStreamInfo(row);
        if (isExpired(stream)) found.push(stream);
        if (found.length === limit) break;
      }
      return found;
    });
  }

  /** Whether there are idempotent producers that have not written since a time. */
  hasProducersBefore(time: number): boolean {
    return readStore(this.#db, () => this.#sql.oldProducer.get(time) !== undefined);
  }

  /** Whether there are lives that are over and may still have messages. */
  hasEndedLives(): boolean {
    return readStore(this.#db, () => this.#sql.endedLife.get() !== undefined);
  }

  /** Which generation of idempotency keys is current, and when it became so, in ms since 1970. */
  keyGeneration(): { generation: number; rotatedAt: number } {
    return readStore(this.#db, () => ({
      generation: this.#sql.meta.get("key_generation")?.value ?? 0,
      rotatedAt: this.#sql.meta.get("keys_rotated_at")?.value ?? 0,
    }));
  }
}

function prepare(db: Database) {
  return {
    meta: db.prepare<[string], { value: number }>("SELECT value FROM meta WHERE name = ?"),
    // Each `WHERE` is the one of an index in the schema, to the letter: else SQLite would read every stream.
    overWindow: db.prepare<[number, number], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams
       WHERE tail > oldest AND oldest_time + replay_window_ms < ?
       ORDER BY oldest_time + replay_window_ms LIMIT ?`,
    ),
    overLimit: db.prepare<[number, number], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams WHERE ${OVER_LIMIT} AND id > ? ORDER BY id LIMIT ?`,
    ),
    unused: db.prepare<[number, number], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams
       WHERE inactivity_ttl_ms > 0 AND tail > 0 AND last_time + inactivity_ttl_ms < ?
         AND inactivity_ttl_ms <= ?
       ORDER BY last_time + inactivity_ttl_ms`,
    ),
    sizes: db.prepare<[number, number], { position: number; bytes: number }>(
      `SELECT position, octet_length(body) AS bytes FROM messages
       WHERE incarnation = ? AND position > ? ORDER BY position`,
    ),
    expired: db.prepare<[number], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams
       WHERE is_deleted = 0 AND (expires_at IS NOT NULL OR ttl_ms IS NOT NULL)
         AND coalesce(expires_at, touched_at + ttl_ms) <= ?
       ORDER BY coalesce(expires_at, touched_at + ttl_ms)`,
    ),
    oldProducer: db.prepare<[number]>("SELECT 1 FROM producers WHERE last_time < ? LIMIT 1"),
    endedLife: db.prepare<[]>("SELECT 1 FROM ended_lives LIMIT 1"),
  };
}
