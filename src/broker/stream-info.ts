/** A stream as the store has it. */
export interface StreamInfo {
  /** Of its row: the same in all its lives. */
  readonly id: number;
  readonly path: string;
  /** Type and subtype, in lower case. */
  readonly mediaType: string;
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
  /** Nothing can be added to it any more. */
  readonly isClosed: boolean;
  /** Deleted, and kept for the forks that read from it. */
  readonly isDeleted: boolean;
  /** It expires this long after `touchedAt`, in ms; `null`: never. */
  readonly ttlMs: number | null;
  readonly touchedAt: number;
  /** In ms since 1970; `null`: never. */
  readonly expiresAt: number | null;
  /** The incarnation that it branches off; `null` if it is no fork. */
  readonly parent: number | null;
  /** The position where it branches off. */
  readonly forkPosition: number;
}

/** A row of `streams`, read by `STREAM_COLUMNS`. */
export interface StreamRow extends Omit<StreamInfo, Flag> {
  readonly hasEarlierLife: number;
  readonly isClosed: number;
  readonly isDeleted: number;
}

type Flag = "hasEarlierLife" | "isClosed" | "isDeleted";

/** What to select for a `StreamRow`. */
export const STREAM_COLUMNS = `id, path, content_type AS mediaType, incarnation, tail, oldest, bytes, has_earlier_life AS hasEarlierLife,
  replay_window_ms AS replayWindowMs, inactivity_ttl_ms AS inactivityTtlMs,
  max_messages AS maxMessages, max_bytes AS maxBytes, is_closed AS isClosed, is_deleted AS isDeleted,
  ttl_ms AS ttlMs, touched_at AS touchedAt, expires_at AS expiresAt, parent, fork_position AS forkPosition`;

/** SQLite has no booleans. */
export function toStreamInfo(row: StreamRow): StreamInfo {
  return {
    ...row,
    hasEarlierLife: row.hasEarlierLife === 1,
    isClosed: row.isClosed === 1,
    isDeleted: row.isDeleted === 1,
  };
}
