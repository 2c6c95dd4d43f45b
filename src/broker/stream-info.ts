/** A stream as the store has it. */
export interface StreamInfo {
  /** Of its row: the same in all its lives. */
  readonly id: number;
  readonly path: string;
  readonly incarnation: number;
  /** The position after the last message. */
  readonly tail: number;
  /** The position before the oldest message that is still there. */
  readonly oldest: number;
  /** What the messages that are still there take, in bytes. */
  readonly bytes: number;
  /** Something before this life was dropped. */
  readonly hasEarlierLife: boolean;
  readonly replayWindowMs: number;
  /** 0: its state is never dropped. */
  readonly inactivityTtlMs: number;
  /** 0: no limit. */
  readonly maxMessages: number;
  /** 0: no limit. */
  readonly maxBytes: number;
}

/** A row of `streams`, read by `STREAM_COLUMNS`. */
export interface StreamRow extends Omit<StreamInfo, "hasEarlierLife"> {
  readonly hasEarlierLife: number;
}

/** What to select for a `StreamRow`. */
export const STREAM_COLUMNS = `id, path, incarnation, tail, oldest, bytes, has_earlier_life AS hasEarlierLife,
  replay_window_ms AS replayWindowMs, inactivity_ttl_ms AS inactivityTtlMs,
  max_messages AS maxMessages, max_bytes AS maxBytes`;

/** SQLite has no booleans. */
export function toStreamInfo(row: StreamRow): StreamInfo {
  return { ...row, hasEarlierLife: row.hasEarlierLife === 1 };
}
