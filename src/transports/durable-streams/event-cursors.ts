import { nextCursor } from "../../protocol/durable-streams/cursor.ts";

export interface EventCursorsOptions {
  /** The `cursor` that the client sent back, if any. */
  readonly echoed: string | undefined;
  /** In ms since 1970. */
  readonly now?: () => number;
  /** Gives numbers from 0 to 1, exclusive. */
  readonly random?: () => number;
}

/** The cursors of one event stream. */
export interface EventCursors {
  /** The same for all that get the same cursors. */
  readonly name: string;
  /** The cursor of the next control event. */
  readonly next: () => string;
}

/**
 * Makes the cursors of one event stream. Jitter is drawn once: with one for each event they would go back and forth.
 *
 * Only a client that is moved on ahead of the others has cursors of its own: whoever comes back with one of an interval
 * that is over gets what everybody gets, and the same bytes.
 *
 * @see PROTOCOL.md, section 10.1
 */
export function createEventCursors({
  echoed,
  now = Date.now,
  random = Math.random,
}: EventCursorsOptions): EventCursors {
  const openedAt = now();
  const common = nextCursor({ now: openedAt, random: 0 });
  const first = nextCursor({ now: openedAt, echoed, random: random() });
  if (first === common) return { name: "", next: () => nextCursor({ now: now(), random: 0 }) };
  return {
    name: first,
    next: () => {
      const current = nextCursor({ now: now(), random: 0 });
      return BigInt(current) > BigInt(first) ? current : first;
    },
  };
}
