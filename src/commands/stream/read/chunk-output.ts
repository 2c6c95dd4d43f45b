import { splitJsonMessages } from "../../../protocol/durable-streams/json-messages.ts";
import { contentKindOf } from "../../../protocol/durable-streams/media-type.ts";
import type { StreamChunk } from "./chunk.ts";

/**
 * Makes a function that gives what to print of a chunk.
 *
 * A JSON stream is printed one message a line, as it was written; a line break between its tokens becomes a space.
 * Any other is printed byte by byte, or, with `isJson`, one JSON a chunk: `{"offset","text"}` of a text, where a
 * character that was cut waits for its end, and `{"offset","base64"}` of other bytes.
 */
export function createChunkOutput({ isJson }: { isJson: boolean }): (chunk: StreamChunk) => Buffer {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return ({ contentType, body, nextOffset, isClosed }) => {
    const kind = contentKindOf(contentType);
    if (kind === "json") return body.length === 0 ? body : Buffer.from(toLines(body.toString("utf8")));
    if (!isJson) return body;
    if (body.length === 0 && !isClosed) return body;
    const content =
      kind === "text"
        ? { text: decoder.decode(body, { stream: !isClosed }) }
        : { base64: body.toString("base64") };
    if (Object.values(content).every((text) => text === "")) return Buffer.alloc(0);
    return Buffer.from(`${JSON.stringify({ offset: nextOffset, ...content })}\n`);
  };
}

function toLines(text: string): string {
  return splitJsonMessages(text)
    .map((message) => `${message.replaceAll(/[\r\n]+/g, " ")}\n`)
    .join("");
}
