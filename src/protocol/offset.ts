/**
 * A place in a stream: between two messages of a JSON stream, or two bytes of any other.
 *
 * ```
 *   0000000000000007_0000000000000042
 *   └ incarnation ─┘ └ position ────┘
 * ```
 *
 * The incarnation names one life of one stream, so that an offset of a deleted and recreated stream is
 * never taken for one of the new. Both halves zero means "before the first message ever".
 */
export interface Offset {
  /** Which life of which stream; from one counter of the store that only grows. 0 only in `ORIGIN`. */
  readonly incarnation: number;
  /** How many messages (JSON) or bytes (any other type) come before this place. */
  readonly position: number;
}

/** Before the first message ever, of any stream. */
export const ORIGIN: Offset = { incarnation: 0, position: 0 };

const DIGITS = 16;

/** The token of an offset: fixed width, so that it sorts as text as the places do. */
export function encodeOffset({ incarnation, position }: Offset): string {
  return `${String(incarnation).padStart(DIGITS, "0")}_${String(position).padStart(DIGITS, "0")}`;
}

/**
 * Reads an offset's token.
 *
 * Sixteen digits reach beyond `Number.MAX_SAFE_INTEGER`; such a value is clamped to it. No store ever
 * gives one out, so it only has to stay "ahead of every tail".
 *
 * @returns `undefined` if the text is not an offset.
 */
export function parseOffset(text: string): Offset | undefined {
  const match = /^(\d{16})_(\d{16})$/.exec(text);
  if (match === null) return undefined;
  return { incarnation: toSafeInteger(match[1]), position: toSafeInteger(match[2]) };
}

function toSafeInteger(digits: string | undefined): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** Whether the offset means "before the first message ever". */
export function isOrigin(offset: Offset): boolean {
  return offset.incarnation === 0 && offset.position === 0;
}

/** Negative if `a` comes before `b`, positive if after. Incarnations only grow, so a later life comes after an earlier one. */
export function compareOffsets(a: Offset, b: Offset): number {
  return a.incarnation - b.incarnation || a.position - b.position;
}
