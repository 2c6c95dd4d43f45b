import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { encodeTextFrame } from "#src/protocol/websocket-frame.ts";

/** Lengths around each change of the head, one and more bytes a character. */
const TEXTS = [
  "",
  ...[1, 125, 126, 127, 65_535, 65_536, 70_000].map((length) => "x".repeat(length)),
  "ü".repeat(62),
  "ü".repeat(63),
  "😀".repeat(16_384),
  '{"text":"\u2028"}',
];

it("makes frames that a WebSocket client reads as the texts they were made from", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  server.on("upgrade", (request, socket) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.end(Buffer.concat(TEXTS.map(encodeTextFrame)));
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const received: string[] = [];
  client.on("message", (bytes: Buffer, isBinary) => received.push(isBinary ? "binary" : bytes.toString()));
  await once(client, "close");
  expect(received).toEqual(TEXTS);
});
