import { contentKindOf } from "../../protocol/durable-streams/media-type.ts";
import {
  encodeBinaryEvent,
  encodeControlEvent,
  encodeJsonEvent,
  encodeTextEvent,
} from "../../protocol/durable-streams/sse-events.ts";
import { incompleteTailLength } from "../../protocol/durable-streams/utf8-boundary.ts";
import { encodeOffset } from "../../protocol/offset.ts";
import type { Batch, BatchEncoding } from "../../broker/encoding.ts";
import { bytesOf, textOf } from "../../broker/entry.ts";

export interface StreamEventsOptions {
  readonly mediaType: string;
  /** The cursor of the next control event. */
  readonly cursor: () => string;
  /** Readers that get the same cursors share the bytes of an event: what tells the others apart. */
  readonly cursorName: string;
}

/** The last control event of a stream that is closed; nobody comes back, so it has no cursor. */
export function encodeClosing(streamNextOffset: string): string {
  return encodeControlEvent({ streamNextOffset, upToDate: true, streamClosed: true });
}

/** How that event ends, and no other write of a stream's events does. */
const CLOSING_END = Buffer.from('"streamClosed":true}\n\n');

/** Whether these are the last events of a stream that is closed. */
export function endsWithClosing(bytes: Buffer): boolean {
  return bytes.length >= CLOSING_END.length && bytes.subarray(-CLOSING_END.length).equals(CLOSING_END);
}

/**
 * A stream as the events of `live=sse`: a data event for what goes out together, and directly after it a control
 * event that says where the reader is then.
 *
 * @see PROTOCOL.md, section 5.8
 */
export function createStreamEvents({ mediaType, cursor, cursorName }: StreamEventsOptions): BatchEncoding {
  const kind = contentKindOf(mediaType);
  return {
    name: `events ${kind} ${cursorName}`,
    encodeBatch(batch) {
      const { data, position } = encodeData(batch);
      if (data === "") return { bytes: Buffer.alloc(0), position };
      const streamNextOffset = encodeOffset(batch.offsetAt(position));
      const control = batch.isEnd
        ? encodeClosing(streamNextOffset)
        : encodeControlEvent({
            streamNextOffset,
            streamCursor: cursor(),
            ...(batch.isTail ? { upToDate: true } : {}),
          });
      return { bytes: Buffer.from(data + control), position };
    },
  };

  function encodeData(batch: Batch): { data: string; position: number } {
    const end = batch.entries.at(-1)?.position ?? 0;
    if (kind === "json") return { data: encodeJsonEvent(batch.entries.map(textOf)), position: end };
    const bytes = Buffer.concat(batch.entries.map(bytesOf));
    if (kind === "bytes") return { data: encodeBinaryEvent(bytes), position: end };
    // The beginning of a character waits for its end, which a later append brings; unless there will be none.
    const held = batch.isEnd ? 0 : incompleteTailLength(bytes);
    const whole = bytes.subarray(0, bytes.length - held);
    return { data: whole.length === 0 ? "" : encodeTextEvent(whole.toString("utf8")), position: end - held };
  }
}
