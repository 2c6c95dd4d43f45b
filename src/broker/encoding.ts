import { encodeOffset } from "../protocol/offset.ts";
import { encodeEvent } from "../protocol/sse.ts";
import { encodeTextFrame } from "../protocol/websocket-frame.ts";
import type { StoredMessage } from "./reader.ts";

/** How messages look on a connection: as SSE blocks or as WebSocket frames. */
export type Encoding = "sse" | "ws";

/** Encodes one message of a life of a stream. */
export function encodeMessage(
  encoding: Encoding,
  incarnation: number,
  { position, json }: StoredMessage,
): Buffer {
  switch (encoding) {
    case "sse":
      return Buffer.from(encodeEvent({ id: encodeOffset({ incarnation, position }), data: json }));
    case "ws":
      return encodeTextFrame(json);
    default:
      return encoding satisfies never;
  }
}

/** Encodes a page as one buffer, for one write. */
export function encodePage(
  encoding: Encoding,
  incarnation: number,
  messages: readonly StoredMessage[],
): Buffer {
  return Buffer.concat(messages.map((message) => encodeMessage(encoding, incarnation, message)));
}
