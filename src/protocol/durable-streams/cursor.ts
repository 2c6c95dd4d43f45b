/** Cursors count intervals of this length (PROTOCOL.md, section 10.1). */
const INTERVAL_MS = 20_000;
/** 2024-10-09T00:00:00Z, from which the protocol counts. */
const EPOCH_MS = 1_728_432_000_000;
/** How far a cursor is moved on at most when a client already has the current one, in seconds. */
const MAX_JITTER_SECS = 3_600;

export interface CursorInput {
  /** Now, in ms since 1970. */
  readonly now: number;
  /** The `cursor` that the client sent back, if any. */
  readonly echoed?: string | undefined;
  /** A number from 0 to 1, exclusive. */
  readonly random: number;
}

/**
 * The token of a live answer that keeps shared caches from answering the next request with this one for ever.
 *
 * A client that already has the present interval's, or a later one, gets a strictly later one still: else its next
 * request would be the same URL. By how much is random, so that clients do not collapse onto one wrong entry.
 *
 * @see PROTOCOL.md, section 10.1
 */
export function nextCursor({ now, echoed, random }: CursorInput): string {
  const current = BigInt(Math.floor((now - EPOCH_MS) / INTERVAL_MS));
  // A client may send any number, and must get a greater one: longer than a double keeps, too.
  const given = echoed !== undefined && /^\d+$/.test(echoed) ? BigInt(echoed) : -1n;
  if (given < current) return String(current);
  const jitterSecs = 1 + Math.floor(random * MAX_JITTER_SECS);
  return String(given + BigInt(Math.max(1, Math.ceil((jitterSecs * 1_000) / INTERVAL_MS))));
}
