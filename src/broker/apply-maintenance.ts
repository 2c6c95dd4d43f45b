import type { Database } from "better-sqlite3";
import type { DropOperation, Result, TrimOperation } from "./operation.ts";
import type { ForgetProducersOperation } from "./stream-operation.ts";
import type { StreamTable } from "./stream-table.ts";

/** How many messages one operation deletes at most: a commit that waits behind it must not wait long. */
export const MAX_TRIMMED = 2_000;

/** How many ended lives one sweep looks at. */
const MAX_SWEPT = 200;

interface MaintenanceTables {
  readonly streams: StreamTable;
  readonly nextIncarnation: () => number;
}

interface StreamRow {
  readonly id: number;
  readonly tail: number;
  readonly oldest: number;
  readonly bytes: number;
  readonly last_time: number;
}

/** Makes the part of `apply` that deletes what is due: each operation a bounded number, so that nobody waits long. */
export function createMaintenanceApply(
  db: Database,
  { streams, nextIncarnation }: MaintenanceTables,
): {
  readonly trim: (operation: TrimOperation) => Result;
  readonly drop: (operation: DropOperation) => Result;
  readonly sweep: () => Result;
  readonly forgetProducers: (operation: ForgetProducersOperation) => Result;
} {
  const sql = prepare(db);
  return { trim, drop, sweep, forgetProducers };

  function trim({ incarnation, position }: TrimOperation): Result {
    const stream = sql.stream.get(incarnation);
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
    const stream = streams.byPath(path);
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

  function forgetProducers({ before }: ForgetProducersOperation): Result {
    const count = streams.forgetProducers(before, MAX_TRIMMED);
    return { kind: "trimmed", count, isPartial: count === MAX_TRIMMED };
  }
}

function prepare(db: Database) {
  return {
    stream: db.prepare<[number], StreamRow>(
      "SELECT id, tail, oldest, bytes, last_time FROM streams WHERE incarnation = ?",
    ),
    updateOldest: db.prepare<[number, number, number, number]>(
      "UPDATE streams SET oldest = ?, oldest_time = ?, bytes = ? WHERE id = ?",
    ),
    timeAt: db.prepare<[number, number], { time: number }>(
      "SELECT time FROM messages WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT 1",
    ),
    bytesUpTo: db.prepare<[number, number], { bytes: number | null }>(
      "SELECT sum(octet_length(body)) AS bytes FROM messages WHERE incarnation = ? AND position <= ?",
    ),
    deleteUpTo: db.prepare<[number, number]>("DELETE FROM messages WHERE incarnation = ? AND position <= ?"),
    beginLife: db.prepare<[number, number]>(
      `UPDATE streams SET incarnation = ?, tail = 0, oldest = 0, oldest_time = 0, bytes = 0, has_earlier_life = 1,
         last_seq = NULL
       WHERE id = ?`,
    ),
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
