import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { dial } from "./raw-connection.ts";

/** A frame as a client sends it; what is left out is as it should be. */
export interface ClientFrameParts {
  readonly opcode?: number;
  readonly isFinal?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  readonly payload?: string | Buffer;
  readonly isMasked?: boolean;
  /** The length that the frame claims. @default the payload's */
  readonly claimedLength?: number;
}

/** A frame that the server sent. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Encodes a frame, however wrong. @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
export function encodeClientFrame({
  opcode = OPCODE.text,
  isFinal = true,
  reserved = 0,
  payload = "",
  isMasked = true,
  claimedLength,
}: ClientFrameParts): Buffer {
  const bytes = Buffer.from(payload);
  const length = claimedLength ?? bytes.length;
  const maskBit = isMasked ? 0x80 : 0;
  const head = Buffer.alloc(length < 126 ? 2 : length <= 0xff_ff ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = maskBit | (head.length === 2 ? length : head.length === 4 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  for (const [index, byte] of bytes.entries()) bytes[index] = byte ^ mask.readUInt8(index % 4);
  return Buffer.concat([head, mask, bytes]);
}

/** Encodes a close frame with a code. */
export function encodeClose(code: number, reason = ""): Buffer {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code);
  return encodeClientFrame({ opcode: OPCODE.close, payload });
}

/** A WebSocket without a library, for what libraries neither send nor show. */
export interface RawWebSocket {
  readonly socket: Socket;
  /** What has come so far, the answer to the handshake apart. */
  readonly frames: () => ServerFrame[];
  /** Resolves when the server has ended the connection, with the code of its close frame. */
  readonly closed: Promise<number | undefined>;
}

/** Makes a handshake by hand, and waits for its answer. */
export async function openRawWebSocket(
  server: { readonly url: string },
  path: string,
): Promise<RawWebSocket> {
  const socket = await dial(server);
  let received = Buffer.alloc(0);
  socket.on("error", () => {});
  const frames = (): ServerFrame[] => decodeFrames(received.subarray(received.indexOf("\r\n\r\n") + 4));
  const closed = new Promise<number | undefined>((resolve) => {
    socket.once("close", () => resolve(closeCodeOf(frames())));
  });
  const head = ["host: localhost", "connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"];
  socket.write(
    `GET ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.includes("\r\n\r\n")) resolve();
    });
  });
  return { socket, frames, closed };
}

/** The code of the close frame among these; 1005 for one without (RFC 6455, section 7.1.5). */
function closeCodeOf(frames: readonly ServerFrame[]): number | undefined {
  const close = frames.find(({ opcode }) => opcode === OPCODE.close);
  if (close === undefined) return undefined;
  return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
}

function decodeFrames(bytes: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (let index = 0; index + 2 <= bytes.length;) {
    const short = bytes.readUInt8(index + 1);
    const start = index + (short === 126 ? 4 : short === 127 ? 10 : 2);
    if (start > bytes.length) break;
    const length =
      short === 126
        ? bytes.readUInt16BE(index + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(index + 2))
          : short;
    if (start + length > bytes.length) break;
    frames.push({ opcode: bytes.readUInt8(index) & 0x0f, payload: bytes.subarray(start, start + length) });
    index = start + length;
  }
  return frames;
}
