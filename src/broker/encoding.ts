import { encodeOffset } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { encodeEvent } from "../protocol/sse.ts";
import { encodeTextFrame } from "../protocol/websocket-frame.ts";
import { textOf } from "./entry.ts";
import type { Entry } from "./entry.ts";

/** How a stream looks on a connection. Readers whose encodings have one name share the bytes. */
export type Encoding = EntryEncoding | BatchEncoding;

/** Encodes entry by entry. */
export interface EntryEncoding {
  readonly name: string;
  /** @param offset where the entry ends. */
  encodeEntry(entry: Entry, offset: Offset): Buffer;
}

/** Encodes what goes out together as a whole. */
export interface BatchEncoding {
  readonly name: string;
  encodeBatch(batch: Batch): Encoded;
}

/** Entries that go out together. */
export interface Batch<E extends Entry = Entry> {
  readonly entries: readonly E[];
  /** The offset of a position in the stream. */
  readonly offsetAt: (position: number) => Offset;
  /** Whether there is nothing after them now. */
  readonly isTail: boolean;
  /** Whether nothing will ever come after them. */
  readonly isEnd: boolean;
}

export interface Encoded {
  readonly bytes: Buffer;
  /** How far they bring the reader: before the end of the batch where the rest means nothing without what comes next. */
  readonly position: number;
}

/** A channel's messages as Server-Sent Events. */
export const SSE_ENCODING: EntryEncoding = {
  name: "sse",
  encodeEntry: (entry, offset) => Buffer.from(encodeEvent({ id: encodeOffset(offset), data: textOf(entry) })),
};

/** A channel's messages as WebSocket frames. */
export const WEBSOCKET_ENCODING: EntryEncoding = {
  name: "ws",
  encodeEntry: (entry) => encodeTextFrame(textOf(entry)),
};

/** Encodes entries as one buffer, for one write. `encodeEntry` may take an entry's bytes from a cache. */
export function encodeBatch<E extends Entry>(
  encoding: Encoding,
  batch: Batch<E>,
  encodeEntry = (each: EntryEncoding, entry: E): Buffer =>
    each.encodeEntry(entry, batch.offsetAt(entry.position)),
): Encoded {
  if ("encodeBatch" in encoding) return encoding.encodeBatch(batch);
  const encoded = batch.entries.map((entry) => encodeEntry(encoding, entry));
  const [only] = encoded;
  const bytes = encoded.length === 1 && only !== undefined ? only : Buffer.concat(encoded);
  return { bytes, position: batch.entries.at(-1)?.position ?? 0 };
}
