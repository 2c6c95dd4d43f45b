import type { Database } from "better-sqlite3";
import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import { composeMessage } from "../protocol/message.ts";
import { encodeOffset } from "../protocol/offset.ts";
import { judgeProducer, refusalOf } from "./judge-producer.ts";
import { toRepeat } from "./key-table.ts";
import type { KeyTable } from "./key-table.ts";
import type { AppendOperation, Result, Retention } from "./operation.ts";
import type { StreamTable } from "./stream-table.ts";

interface AppendTables {
  readonly streams: StreamTable;
  readonly keys: KeyTable;
  readonly nextIncarnation: () => number;
}

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

/** Makes the part of `apply` that adds messages to a channel's streams. */
export function createAppend(
  db: Database,
  { streams, keys, nextIncarnation }: AppendTables,
): (operation: AppendOperation) => Result {
  const sql = prepare(db);

  return function append(operation) {
    const stream = sql.stream.get(operation.path);
    return judge(stream, operation) ?? store(stream ?? begin(operation), operation);
  };

  /** What the append comes to if it stores nothing: it is a repeat, or it is refused. */
  function judge(stream: StreamRow | undefined, { key, producer, seq }: AppendOperation): Result | undefined {
    if (stream !== undefined && key !== undefined) {
      const known = keys.find(stream.id, key.owner, key.key);
      if (known !== undefined) return toRepeat(known, key.fingerprint);
    }
    if (producer !== undefined) {
      const state = stream && streams.producer(stream.incarnation, producer.id);
      const verdict = judgeProducer(state, producer);
      if (verdict.kind === "duplicate" && stream !== undefined) {
        const { incarnation, tail: first, last_time: time } = stream;
        const known = state === undefined ? {} : { producer: state };
        return { kind: "appended", incarnation, first, count: 0, time, isRepeat: true, ...known };
      }
      const refusal = refusalOf(verdict);
      if (refusal !== undefined) return { kind: "refused", ...refusal };
    }
    const lastSeq = stream?.last_seq ?? null;
    return seq !== undefined && lastSeq !== null && seq <= lastSeq
      ? { kind: "refused", reason: "seq", lastSeq }
      : undefined;
  }

  function begin({ path, retention }: AppendOperation): StreamRow {
    const { replayWindowMs, inactivityTtlMs, maxMessages, maxBytes } = retention;
    const settings = [replayWindowMs, inactivityTtlMs, maxMessages, maxBytes] as const;
    sql.create.run(path, nextIncarnation(), JSON_MEDIA_TYPE, ...settings);
    const stream = sql.stream.get(path);
    if (stream === undefined) throw new Error(`the stream ${path} is not there after its creation`);
    return stream;
  }

  function store(
    stream: StreamRow,
    { time, templates, retention, key, producer, seq }: AppendOperation,
  ): Result {
    const { replayWindowMs, inactivityTtlMs, maxMessages, maxBytes } = retention;
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
    sql.update.run({
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
    sql.setLastTime.run(messageTime, messageTime);
    const count = templates.length;
    if (key !== undefined)
      keys.insert({ stream: stream.id, key, incarnation, first, count, time: messageTime });
    if (producer !== undefined) streams.setProducer(incarnation, producer, messageTime);
    if (seq !== undefined) sql.setSeq.run(seq, stream.id);
    const accepted = producer === undefined ? {} : { producer: { epoch: producer.epoch, seq: producer.seq } };
    return { kind: "appended", incarnation, first, count, time: messageTime, isRepeat: false, ...accepted };
  }
}

interface StreamUpdate extends Retention {
  readonly id: number;
  readonly tail: number;
  readonly bytes: number;
  readonly lastTime: number;
  readonly oldestTime: number;
}

function prepare(db: Database) {
  return {
    stream: db.prepare<[string], StreamRow>(
      `SELECT id, incarnation, tail, oldest, oldest_time, bytes, last_time, last_seq FROM streams WHERE path = ?`,
    ),
    create: db.prepare<[string, number, string, number, number, number, number]>(
      `INSERT INTO streams (path, incarnation, content_type, replay_window_ms, inactivity_ttl_ms, max_messages, max_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    update: db.prepare<[StreamUpdate]>(
      `UPDATE streams SET tail = @tail, bytes = @bytes, last_time = @lastTime, oldest_time = @oldestTime,
         replay_window_ms = @replayWindowMs, inactivity_ttl_ms = @inactivityTtlMs,
         max_messages = @maxMessages, max_bytes = @maxBytes
       WHERE id = @id`,
    ),
    insertMessage: db.prepare<[number, number, number, string]>(
      "INSERT INTO messages (incarnation, position, time, body) VALUES (?, ?, ?, ?)",
    ),
    setLastTime: db.prepare<[number, number]>(
      "UPDATE meta SET value = ? WHERE name = 'last_time' AND value < ?",
    ),
    setSeq: db.prepare<[string, number]>("UPDATE streams SET last_seq = ? WHERE id = ?"),
  };
}
