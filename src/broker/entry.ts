import type { Body } from "./stream-operation.ts";

/** What one row of a stream holds: a message of a JSON stream, or an append to any other. */
export interface Entry {
  /** Where it ends; with the incarnation this is its offset. */
  readonly position: number;
  /** As it is stored: the same bytes for every reader. JSON is always text. */
  readonly body: Body;
}

/** What an entry's body takes, in bytes of UTF-8. */
export function byteLengthOf({ body }: Entry): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** An entry's body as text; of a JSON stream it is the message. */
export function textOf({ body }: Entry): string {
  return typeof body === "string" ? body : Buffer.from(body).toString("utf8");
}

/** An entry's body as bytes. */
export function bytesOf({ body }: Entry): Buffer {
  return typeof body === "string"
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.length);
}

/**
 * Cuts byte entries to what lies after a place and not beyond another: an offset may be inside of a row, for a row is
 * an append, and a fork may end inside one.
 */
export function cutEntries(
  entries: readonly Entry[],
  { from, to }: { readonly from: number; readonly to: number },
): Entry[] {
  return entries.flatMap((entry) => {
    const start = entry.position - byteLengthOf(entry);
    if (start >= from && entry.position <= to) return [entry];
    if (start >= to || entry.position <= from || from >= to) return [];
    const end = Math.min(entry.position, to);
    return [{ position: end, body: bytesOf(entry).subarray(Math.max(0, from - start), end - start) }];
  });
}
