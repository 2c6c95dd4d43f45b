import { encodeOffset } from "../protocol/offset.ts";
import { encodeEvent } from "../protocol/sse.ts";
import { encodeTextFrame } from "../protocol/websocket-frame.ts";
import type { StoredMessage } from "./reader.ts";

/** How messages look on a connection: as SSE blocks or as WebSocket frames. */
export type Encoding = "sse" | "ws";

/** Encodes one message of a life of a stream. */
export function encodeMessage(encoding: Encoding, incarnation: number, message: StoredMessage): Buffer {
  switch (encoding) {
    case "sse":
      return Buffer.from(toEvent(incarnation, message));
    case "ws":
      return encodeTextFrame(message.json);
    default:
      return encoding satisfies never;
  }
}

function toEvent(incarnation: number, { position, json }: StoredMessage): string {
  return encodeEvent({ id: encodeOffset({ incarnation, position }), data: json });
}

/** Encodes a page as one buffer, for one write. */
export function encodePage(
  encoding: Encoding,
  incarnation: number,
  messages: readonly StoredMessage[],
): Buffer {
  // One text and one conversion: a buffer for each of its messages would take most of the time of a replay.
  if (encoding === "sse")
    return Buffer.from(messages.map((message) => toEvent(incarnation, message)).join(""));
  return Buffer.concat(messages.map((message) => encodeMessage(encoding, incarnation, message)));
}
