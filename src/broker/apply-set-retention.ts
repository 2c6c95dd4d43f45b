import type { Database } from "better-sqlite3";
import { channelOfPath } from "../protocol/stream-path.ts";
import type { Result, Retention, SetRetentionOperation } from "./operation.ts";

/** How many streams one operation looks at: a commit that waits behind it must not wait long. */
const MAX_STREAMS = 500;

/** Makes the part of `apply` that gives a channel's streams another retention, for an open, migrated database. */
export function createSetRetention(db: Database): (operation: SetRetentionOperation) => Result {
  const find = db.prepare<[string, string, number], { id: number; path: string }>(
    "SELECT id, path FROM streams WHERE path >= ? AND path < ? ORDER BY path LIMIT ?",
  );
  // Rows that have it already are left alone: at a start-up that is all of them.
  const update = db.prepare<[Retention & { id: number }]>(
    `UPDATE streams SET replay_window_ms = @replayWindowMs, inactivity_ttl_ms = @inactivityTtlMs,
       max_messages = @maxMessages, max_bytes = @maxBytes
     WHERE id = @id AND (replay_window_ms, inactivity_ttl_ms, max_messages, max_bytes)
       <> (@replayWindowMs, @inactivityTtlMs, @maxMessages, @maxBytes)`,
  );

  return function setRetention({ channel, from, retention }) {
    const { replayWindowMs, inactivityTtlMs, maxMessages, maxBytes } = retention;
    // "0" comes right after "/". Between are the streams of other channels too: `chat-x`, `chat/x`.
    const found = find.all(from, `${channel}0`, MAX_STREAMS + 1);
    for (const { id, path } of found.slice(0, MAX_STREAMS)) {
      if (channelOfPath(path) === channel)
        update.run({ id, replayWindowMs, inactivityTtlMs, maxMessages, maxBytes });
    }
    const next = found[MAX_STREAMS]?.path;
    return { kind: "retention-set", ...(next === undefined ? {} : { next }) };
  };
}
