import { once } from "node:events";
import { createServer } from "node:http2";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { sendAnswer } from "#src/transports/http.ts";
import type { Answer } from "#src/transports/http.ts";

/** RFC 9113, section 6: what is looked at here. */
const FRAME = { data: 0x0, headers: 0x1, settings: 0x4 } as const;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
/** RFC 7541, appendix A, by index: `:scheme: http`, `:path: /`; then `:authority: a` (section 6.2.2). */
const TO_ROOT = [0x86, 0x84, 0x01, 1, ...Buffer.from("a")];
const GET = Buffer.from([0x82, ...TO_ROOT]);
const HEAD = Buffer.from([0x02, 4, ...Buffer.from("HEAD"), ...TO_ROOT]);

interface Frame {
  readonly type: number;
  readonly length: number;
  readonly isLast: boolean;
}

/** Asks a server over a bare socket, and takes its frames on stream 1 up to the one that ends it. */
async function framesOf(answer: Answer, requestHeaders: Buffer): Promise<Frame[]> {
  const server = createServer((_, response) => sendAnswer(response, answer));
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(encodeFrame({ type: FRAME.settings, flags: 0, stream: 0, payload: Buffer.alloc(0) }));
  const flags = END_STREAM | END_HEADERS;
  socket.write(encodeFrame({ type: FRAME.headers, flags, stream: 1, payload: requestHeaders }));
  const frames: Frame[] = [];
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const length = received.readUIntBE(0, 3);
      const [type, frameFlags] = [received.readUInt8(3), received.readUInt8(4)];
      const isOurs = received.readUInt32BE(5) === 1 && (type === FRAME.data || type === FRAME.headers);
      if (isOurs) frames.push({ type, length, isLast: (frameFlags & END_STREAM) !== 0 });
      received = received.subarray(9 + length);
    }
    if (frames.at(-1)?.isLast === true) break;
  }
  return frames;
}

function encodeFrame(frame: { type: number; flags: number; stream: number; payload: Buffer }): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(frame.payload.length, 0, 3);
  head.writeUInt8(frame.type, 3);
  head.writeUInt8(frame.flags, 4);
  head.writeUInt32BE(frame.stream, 5);
  return Buffer.concat([head, frame.payload]);
}

describe("an answer over HTTP/2", () => {
  it("ends with the frame of its last byte, so that a client that has all of it knows", async () => {
    const frames = await framesOf({ status: 200, body: "hello" }, GET);
    expect(frames).toEqual([
      { type: FRAME.headers, length: expect.any(Number), isLast: false },
      { type: FRAME.data, length: 5, isLast: true },
    ]);
  });

  it.each([
    ["without a body", { status: 200 }, GET],
    ["of status 204", { status: 204 }, GET],
    ["to a HEAD", { status: 200, body: "hello" }, HEAD],
  ] as const)("ends with its head, if it is one %s", async (_, answer, request) => {
    expect(await framesOf(answer, request)).toEqual([
      { type: FRAME.headers, length: expect.any(Number), isLast: true },
    ]);
  });
});
