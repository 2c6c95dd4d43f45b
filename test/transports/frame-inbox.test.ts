import { once } from "node:events";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { FrameInbox } from "#src/transports/frame-inbox.ts";
import { PATIENT } from "../support/patient.ts";

let server: WebSocketServer;
let client: WebSocket;
let received: WebSocket;
let inbox: FrameInbox;
const over = new AbortController();

beforeEach(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  client = new WebSocket(`ws://127.0.0.1:${port}`);
  [received] = (await once(server, "connection")) as [WebSocket];
  inbox = new FrameInbox(received, over.signal);
  await once(client, "open");
});
afterEach(() => {
  client.terminate();
  received.terminate();
  server.close();
});

it.each([
  ["of 60 kB", 60_000, 100],
  ["of 20 bytes", 20, 10_000],
])(
  "keeps few frames %s that nobody takes, and gives all, in order, to who does",
  async (_, length, count) => {
    const frame = (index: number): string => String(index).padStart(length, "0");
    let arrived = 0;
    received.on("message", () => (arrived += 1));
    for (let index = 0; index < count; index += 1) client.send(frame(index));
    await expect.poll(() => received.isPaused, PATIENT).toBe(true);
    // What was read from the socket by then was one chunk of at most 64 KiB, and the rest of a frame.
    expect(arrived * length).toBeLessThan(200_000);
    for (let index = 0; index < count; index += 1) expect(await inbox.take(over.signal)).toBe(frame(index));
    expect(received.isPaused).toBe(false);
  },
);
