import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "m", data: 1 };
const SHOWN = { shown: { transport: "ws", auth: { headerName: "authorization" }, onPublish: true } };
const TEXT = 0x1;
const CLOSE = 0x8;

describe("a connection that ends", () => {
  it("acknowledges the publishes under way before its last frame", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const { webSocket, send, controls, log } = await openWebSocket(`${server.url}/channels/chat`);
    send({ ...MESSAGE, ref: 1 });
    send({ ...MESSAGE, ref: 2 });
    webSocket.send(Buffer.from("x"), { binary: true });
    expect(await log.ended).toMatchObject({ closeCode: 1003 });
    expect(controls.slice(1).map(({ control, ref, code }) => [control, ref ?? code])).toEqual([
      ["ack", 1],
      ["ack", 2],
      ["error", "binary_unsupported"],
    ]);
  });

  it.each([
    ["too big", "x".repeat(100_000), 1009, "too_big"],
    ["not UTF-8", Buffer.from([0x22, 0xff, 0x22]), 1007, "malformed"],
  ])(
    "acknowledges what came before a frame that is %s, and says what is wrong with it",
    async (_, frame, closeCode, code) => {
      await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
      const { webSocket, send, controls, log } = await openWebSocket(`${server.url}/channels/chat`);
      for (let ref = 0; ref < 20; ref += 1) send({ ...MESSAGE, ref });
      webSocket.send(frame, { binary: false });
      send({ ...MESSAGE, ref: "late" });
      expect(await log.ended).toMatchObject({ closeCode });
      expect(controls.slice(1).map(({ control, ref, code: why }) => [control, ref ?? why])).toEqual([
        ...Array.from({ length: 20 }, (__, ref) => ["ack", ref]),
        ["error", code],
      ]);
    },
  );

  it("acknowledges what came before a frame that breaks the protocol", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const { opcodes, text } = await exchange(`${server.url}/channels/chat`, async (socket) => {
      const unmasked = Buffer.from([0x80 | TEXT, 0]);
      socket.write(Buffer.concat([maskedFrame(JSON.stringify({ ...MESSAGE, ref: 1 })), unmasked]));
      await once(socket, "close");
    });
    expect(opcodes.at(-1)).toBe(CLOSE);
    expect(text).toMatch(/"ready".*"ack","ref":1.*"error","code":"malformed"/);
    expect(text.slice(-40)).toContain(String.fromCharCode(0x03, 0xea)); // 1002
  });

  it("sees every publish that a shutdown stores acknowledged", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const { send, controls, log } = await openWebSocket(`${server.url}/channels/chat`);
    for (let ref = 0; ref < 50; ref += 1) send({ ...MESSAGE, ref });
    await log.waitFor(1);
    await server.running.close();
    await log.ended;
    expect(controls.at(-1)).toMatchObject({ control: "reconnect" });
    const acked = controls.filter(({ control }) => control === "ack").length;
    await using again = await startTestServer({ root: server.root });
    const reader = await openWebSocket(`${again.url}/channels/chat?last_message_id=start`);
    await again.publish("chat", { type: "end", data: "end" });
    await expect.poll(() => reader.log.received.at(-1)?.json, PATIENT).toContain('"end"');
    expect(reader.log.received.length - 1).toBe(acked);
    reader.close();
  });

  it("waits for a bounded time, and sends nothing after its close frame", async () => {
    await using app = await startTestApp(async ({ path }) => {
      if (path === "/channels/on-publish") await sleep(2_200);
      return { ok: true, subject: "u1" };
    });
    await using server = await startTestServer({ channels: SHOWN, app: { url: app.url } });
    const { opcodes, closedAfterMs } = await exchange(`${server.url}/channels/shown`, async (socket) => {
      socket.write(maskedFrame(JSON.stringify(MESSAGE)));
      await expect
        .poll(() => app.calls.some(({ path }) => path === "/channels/on-publish"), PATIENT)
        .toBe(true);
      await server.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" }));
    });
    expect(closedAfterMs).toBeGreaterThan(1_000);
    expect(closedAfterMs).toBeLessThan(2_000);
    expect(opcodes).toEqual([TEXT, TEXT, TEXT, CLOSE]); // `ready`, `error`, `reconnect`; no `ack`
  });
});

/** A short frame as a client sends it, with the mask 0. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | payload.length]), Buffer.alloc(4), payload]);
}

interface Exchange {
  /** Of all frames that came. */
  readonly opcodes: readonly number[];
  /** All frames, a character a byte. */
  readonly text: string;
  readonly closedAfterMs: number;
}

/** Speaks on a bare socket, for `ws` hides what comes after a close, and listens for 3 s. */
async function exchange(url: string, speak: (socket: Socket) => Promise<void>): Promise<Exchange> {
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  let all = Buffer.alloc(0);
  let closedAfterMs = Number.POSITIVE_INFINITY;
  let startedAt = Number.POSITIVE_INFINITY;
  const opcodes = (): number[] => opcodesOf(all.subarray(all.indexOf("\r\n\r\n") + 4));
  socket.write(
    `GET ${new URL(url).pathname} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer t\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  socket.on("data", (chunk) => {
    all = Buffer.concat([all, chunk]);
    if (opcodes().at(-1) === CLOSE) closedAfterMs = Math.min(closedAfterMs, performance.now() - startedAt);
  });
  await once(socket, "data");
  await speak(socket);
  startedAt = performance.now();
  await sleep(3_000);
  socket.destroy();
  return { opcodes: opcodes(), text: all.toString("latin1"), closedAfterMs };
}

function opcodesOf(bytes: Buffer): number[] {
  const opcodes: number[] = [];
  let index = 0;
  while (index < bytes.length) {
    opcodes.push(bytes.readUInt8(index) & 0x0f);
    const length = bytes.readUInt8(index + 1);
    index += length === 126 ? 4 + bytes.readUInt16BE(index + 2) : 2 + length;
  }
  return opcodes;
}
