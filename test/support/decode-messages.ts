import type { Encoding } from "#src/broker/encoding.ts";
import { SseParser } from "#src/protocol/sse-parser.ts";

/** The JSON of each message in bytes that hold whole ones. */
export function decodeMessages(encoding: Encoding, bytes: Buffer): string[] {
  return encoding.name === "ws" ? decodeTextFrames(bytes) : decodeEvents(bytes);
}

function decodeEvents(bytes: Buffer): string[] {
  return new SseParser().push(bytes.toString()).flatMap((item) => (item.kind === "event" ? [item.data] : []));
}

/** Unmasked frames, whole ones (RFC 6455, section 5.2). */
function decodeTextFrames(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const short = bytes.readUInt8(start + 1);
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    const length =
      head === 10
        ? Number(bytes.readBigUInt64BE(start + 2))
        : head === 4
          ? bytes.readUInt16BE(start + 2)
          : short;
    texts.push(bytes.toString("utf8", start + head, start + head + length));
    start += head + length;
  }
  return texts;
}
