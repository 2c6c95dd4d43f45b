import type { Database } from "better-sqlite3";
import { encodeOffset } from "../protocol/offset.ts";
import { composeMessage } from "../protocol/message.ts";
import { createCreate } from "./apply-create.ts";
import { createDelete } from "./apply-delete.ts";
import { createLeaseApply } from "./apply-lease.ts";
import { createSetRetention } from "./apply-set-retention.ts";
import { createSubscriptionApply } from "./apply-subscription.ts";
import { createWakeApply } from "./apply-wake.ts";
import { createWrite } from "./apply-write.ts";
import { judgeProducer, refusalOf } from "./judge-producer.ts";
import { createKeyTable, toRepeat } from "./key-table.ts";
import { createStreamTable } from "./stream-table.ts";
import { createSubscriptionLinks } from "./subscription-links.ts";
import { createSubscriptionTable } from "./subscription-table.ts";
import type { AppendOperation, DropOperation, Operation, Result, TrimOperation } from "./operation.ts";

/** How many messages one operation deletes at most: a commit that waits behind it must not wait long. */
export const MAX_TRIMMED = 2_000;

/** How many ended lives one sweep looks at. */
const MAX_SWEPT = 200;

const JSON_CONTENT_TYPE = "application/json";

interface StreamRow {
  readonly id: number;
  readonly incarnation: number;
  readonly tail: number;
  readonly oldest: number;
  readonly oldest_time: number;
  readonly bytes: number;
  readonly last_time: number;
  readonly last_seq: string | null;
}

/** Applies one operation to the store. Must run inside a transaction. */
export type Apply = (operation: Operation) => Result;

/**
 * Makes `apply` for an open, migrated database.
 *
 * Deterministic: no clock, no randomness, no I/O but the database. The same operations in the same order give
 * the same rows.
 */
export function createApply(db: Database): Apply {
  const sql = prepare(db);
  const keys = createKeyTable(db);
  const setRetention = createSetRetention(db);
  const streams = createStreamTable(db);
  const subscriptions = createSubscriptionTable(db);
  const links = createSubscriptionLinks(db);
  const create = createCreate({ streams, links, nextIncarnation });
  const write = createWrite({ streams, links });
  const remove = createDelete({ streams, links, subscriptions });
  const tables = { streams, subscriptions, links };
  const config = createSubscriptionApply(tables, nextIncarnation);
  const wakes = createWakeApply(tables);
  const leases = createLeaseApply(tables);

  return function apply(operation) {
    switch (operation.kind) {
      case "append":
        return append(operation);
      case "set-retention":
        return setRetention(operation);
      case "trim":
        return trim(operation);
      case "drop":
        return drop(operation);
      case "sweep":
        return sweep();
      case "rotate-keys":
        keys.rotate(operation);
        return { kind: "unchanged" };
      case "create":
        return create(operation);
      case "write":
        return write(operation);
      case "delete":
        return remove(operation);
      case "touch":
        streams.touch(operation.incarnation, operation.time);
        return { kind: "unchanged" };
      case "forget-producers": {
        const count = streams.forgetProducers(operation.before, MAX_TRIMMED);
        return { kind: "trimmed", count, isPartial: count === MAX_TRIMMED };
      }
      case "subscribe":
        return config.subscribe(operation);
      case "unsubscribe":
        return config.unsubscribe(operation);
      case "link-streams":
        return config.linkStreams(operation);
      case "unlink-stream":
        return config.unlinkStream(operation);
      case "wake":
        return wakes.wake(operation);
      case "end-lease":
        return wakes.endLease(operation);
      case "delivered":
        return wakes.delivered(operation);
      case "delivery-failed":
        return wakes.deliveryFailed(operation);
      case "claim":
        return leases.claim(operation);
      case "ack":
        return leases.ack(operation);
      case "release":
        return leases.release(operation);
      case "set-signing-key": {
        const kept = subscriptions.signingKey();
        if (kept === undefined) subscriptions.setSigningKey(operation.privateKey);
        return { kind: "signing-key", privateKey: kept ?? operation.privateKey };
      }
      default:
        return operation satisfies never;
    }
  };

  function append({ path, time, templates, retention, key, producer, seq }: AppendOperation): Result {
    const { replayWindowMs, inactivityTtlMs, maxMessages, maxBytes } = retention;
    let stream = sql.streamByPath.get(path);
    if (stream !== undefined && key !== undefined) {
      const known = keys.find(stream.id, key.owner, key.key);
      if (known !== undefined) return toRepeat(known, key.fingerprint);
    }
    if (producer !== undefined) {
      const state = stream && streams.producer(stream.incarnation, producer.id);
      const verdict = judgeProducer(state, producer);
      if (verdict.kind === "duplicate" && stream !== undefined) {
        const { incarnation, tail, last_time: lastTime } = stream;
        const known = state === undefined ? {} : { producer: state };
        return {
          kind: "appended",
          incarnation,
          first: tail,
          count: 0,
          time: lastTime,
          isRepeat: true,
          ...known,
        };
      }
      const refusal = refusalOf(verdict);
      if (refusal !== undefined) return { kind: "refused", ...refusal };
    }
    const lastSeq = stream?.last_seq ?? null;
    if (seq !== undefined && lastSeq !== null && seq <= lastSeq)
      return { kind: "refused", reason: "seq", lastSeq };
    if (stream === undefined) {
      const settings = [replayWindowMs, inactivityTtlMs, maxMessages, maxBytes] as const;
      sql.createStream.run(path, nextIncarnation(), JSON_CONTENT_TYPE, ...settings);
      stream = sql.streamByPath.get(path);
      if (stream === undefined) throw new Error(`the stream ${path} is not there after its creation`);
    }
    const messageTime = Math.max(time, stream.last_time);
    const { incarnation, tail: first } = stream;
    let { bytes } = stream;
    let position = first;
    for (const template of templates) {
      position += 1;
      const body = composeMessage(template, {
        id: encodeOffset({ incarnation, position }),
        time: messageTime,
      });
      bytes += Buffer.byteLength(body);
      sql.insertMessage.run(incarnation, position, messageTime, body);
    }
    const isFirstRetained = stream.oldest === first;
    sql.updateStream.run({
      id: stream.id,
      tail: position,
      bytes,
      lastTime: messageTime,
      oldestTime: isFirstRetained ? messageTime : stream.oldest_time,
      replayWindowMs,
      inactivityTtlMs,
      maxMessages,
      maxBytes,
    });
    sql.setMeta.run(messageTime, "last_time", messageTime);
    const count = templates.length;
    if (key !== undefined) {
      keys.insert({ stream: stream.id, key, incarnation, first, count, time: messageTime });
    }
    if (producer !== undefined) streams.setProducer(incarnation, producer, messageTime);
    if (seq !== undefined) sql.setSeq.run(seq, stream.id);
    const accepted = producer === undefined ? {} : { producer: { epoch: producer.epoch, seq: producer.seq } };
    return { kind: "appended", incarnation, first, count, time: messageTime, isRepeat: false, ...accepted };
  }

  function trim({ incarnation, position }: TrimOperation): Result {
    const stream = sql.streamByIncarnation.get(incarnation);
    if (stream === undefined || position <= stream.oldest) return { kind: "unchanged" };
    const wanted = Math.min(position, stream.tail);
    const upTo = Math.min(wanted, stream.oldest + MAX_TRIMMED);
    const freed = sql.bytesUpTo.get(incarnation, upTo)?.bytes ?? 0;
    const { changes } = sql.deleteUpTo.run(incarnation, upTo);
    const oldestTime = sql.timeAt.get(incarnation, upTo + 1)?.time ?? stream.last_time;
    sql.updateOldest.run(upTo, oldestTime, stream.bytes - freed, stream.id);
    return { kind: "trimmed", count: changes, isPartial: upTo < wanted };
  }

  function drop({ path, incarnation, tail }: DropOperation): Result {
    const stream = sql.streamByPath.get(path);
    if (stream?.incarnation !== incarnation || stream.tail !== tail) return { kind: "unchanged" };
    const next = nextIncarnation();
    sql.beginLife.run(next, stream.id);
    sql.endLife.run(incarnation);
    return { kind: "dropped", incarnation: next };
  }

  function sweep(): Result {
    const lives = sql.endedLives.all(MAX_SWEPT);
    if (lives.length === 0) return { kind: "unchanged" };
    let count = 0;
    for (const { incarnation } of lives) {
      count += sql.deleteSome.run(incarnation, MAX_TRIMMED - count).changes;
      if (count === MAX_TRIMMED) return { kind: "trimmed", count, isPartial: true };
      sql.forgetLife.run(incarnation);
    }
    return { kind: "trimmed", count, isPartial: lives.length === MAX_SWEPT };
  }

  function nextIncarnation(): number {
    const next = sql.meta.get("next_incarnation")?.value;
    if (next === undefined) throw new Error("the store has no incarnation counter");
    sql.replaceMeta.run(next + 1, "next_incarnation");
    return next;
  }
}

interface StreamUpdate {
  readonly id: number;
  readonly tail: number;
  readonly bytes: number;
  readonly lastTime: number;
  readonly oldestTime: number;
  readonly replayWindowMs: number;
  readonly inactivityTtlMs: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
}

const STREAM_COLUMNS = "id, incarnation, tail, oldest, oldest_time, bytes, last_time, last_seq";

function prepare(db: Database) {
  return {
    meta: db.prepare<[string], { value: number }>("SELECT value FROM meta WHERE name = ?"),
    replaceMeta: db.prepare<[number, string]>("UPDATE meta SET value = ? WHERE name = ?"),
    setMeta: db.prepare<[number, string, number]>("UPDATE meta SET value = ? WHERE name = ? AND value < ?"),
    streamByPath: db.prepare<[string], StreamRow>(`SELECT ${STREAM_COLUMNS} FROM streams WHERE path = ?`),
    streamByIncarnation: db.prepare<[number], StreamRow>(
      `SELECT ${STREAM_COLUMNS} FROM streams WHERE incarnation = ?`,
    ),
    createStream: db.prepare<[string, number, string, number, number, number, number]>(
      `INSERT INTO streams (path, incarnation, content_type, replay_window_ms, inactivity_ttl_ms, max_messages, max_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    updateStream: db.prepare<[StreamUpdate]>(
      `UPDATE streams SET tail = @tail, bytes = @bytes, last_time = @lastTime, oldest_time = @oldestTime,
         replay_window_ms = @replayWindowMs, inactivity_ttl_ms = @inactivityTtlMs,
         max_messages = @maxMessages, max_bytes = @maxBytes
       WHERE id = @id`,
    ),
    updateOldest: db.prepare<[number, number, number, number]>(
      "UPDATE streams SET oldest = ?, oldest_time = ?, bytes = ? WHERE id = ?",
    ),
    beginLife: db.prepare<[number, number]>(
      `UPDATE streams SET incarnation = ?, tail = 0, oldest = 0, oldest_time = 0, bytes = 0, has_earlier_life = 1,
         last_seq = NULL
       WHERE id = ?`,
    ),
    setSeq: db.prepare<[string, number]>("UPDATE streams SET last_seq = ? WHERE id = ?"),
    insertMessage: db.prepare<[number, number, number, string]>(
      "INSERT INTO messages (incarnation, position, time, body) VALUES (?, ?, ?, ?)",
    ),
    timeAt: db.prepare<[number, number], { time: number }>(
      "SELECT time FROM messages WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1",
    ),
    bytesUpTo: db.prepare<[number, number], { bytes: number | null }>(
      "SELECT sum(octet_length(body)) AS bytes FROM messages WHERE incarnation = ? AND position <= ?",
    ),
    deleteUpTo: db.prepare<[number, number]>("DELETE FROM messages WHERE incarnation = ? AND position <= ?"),
    endLife: db.prepare<[number]>("INSERT INTO ended_lives (incarnation) VALUES (?)"),
    endedLives: db.prepare<[number], { incarnation: number }>(
      "SELECT incarnation FROM ended_lives ORDER BY incarnation LIMIT ?",
    ),
    deleteSome: db.prepare<[number, number]>(
      "DELETE FROM messages WHERE rowid IN (SELECT rowid FROM messages WHERE incarnation = ? LIMIT ?)",
    ),
    forgetLife: db.prepare<[number]>("DELETE FROM ended_lives WHERE incarnation = ?"),
  };
}
