import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { jsonBody, makeProject, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import { startGuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess, ServerProcessOptions } from "../support/server-process.ts";
import type { Subscriber } from "../support/subscriber-client.ts";
import { http2Client } from "../support/subscriber-client-http2.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MIB = 1_024 * 1_024;
/** 50 MB, more than the sockets' own buffers take: a server that went on pushing would hold the rest. */
const STALLED = 5;
const BATCHES = 100;
const BATCH = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(50_000) }));
const MESSAGES = BATCHES * BATCH.length;

const roots: string[] = [];
let certificates: TestCertificates;
let server: ServerProcess;
/** Speaks TLS and HTTP/2. */
let secure: ServerProcess;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  const start = (options: ServerProcessOptions): Promise<ServerProcess> => {
    const root = makeProject();
    roots.push(root);
    return startServerProcess(root, { chat: PUBLIC_ROOMS }, options);
  };
  server = await start({});
  secure = await start({ tls: certificates.tls, http2: true });
});
afterAll(async () => {
  await server.kill();
  await secure.kill();
  for (const root of roots) rmSync(root, { recursive: true, force: true });
  await certificates[Symbol.asyncDispose]();
});

async function publish({ internalUrl, token }: ServerProcess, channel: string, body: unknown): Promise<void> {
  const init = jsonBody(body, { authorization: `Bearer ${token}` });
  const response = await fetch(internalUrl + toMessagesPath(channel), init);
  if (!response.ok) throw new Error(await response.text());
}

describe.each([
  { over: "SSE", connect: sseClient.connect, front: () => server },
  { over: "WebSocket", connect: webSocketClient.connect, front: () => server },
  { over: "SSE, HTTP/2 and TLS", connect: http2Client.connect, front: () => secure },
  { over: "WebSocket and TLS", connect: webSocketClient.connect, front: () => secure },
])("subscribers over $over that do not read", ({ over, connect, front }) => {
  it("hold up nobody, take no memory of the server's, and miss nothing when they read on", async () => {
    const server = front();
    const room = `chat?room=${encodeURIComponent(over)}`;
    const join = (): Promise<Subscriber> =>
      connect(`${server.url}/channels/${room}`, { ca: certificates.caPem });
    const stalled = await Promise.all(Array.from({ length: STALLED }, join));
    for (const { pause } of stalled) pause();
    const reader = await join();
    await publish(server, room, BATCH);
    const before = await server.memory();
    for (let batch = 1; batch < BATCHES; batch += 1) await publish(server, room, BATCH);
    const all = await reader.log.waitFor(MESSAGES);
    // What was on its way a moment ago is freed a moment later; what is kept for who does not read would stay.
    const kept = async (): Promise<number> => (await server.memory()) - before;
    await expect.poll(kept, PATIENT).toBeLessThan(20 * MIB);

    for (const { resume } of stalled) resume();
    for (const { log } of stalled) {
      const ids = (await log.waitFor(MESSAGES)).map(({ id }) => id);
      expect(ids).toEqual(all.map(({ id }) => id));
    }
    await publish(server, room, { type: "m", data: "live again" });
    for (const { log, close } of [reader, ...stalled]) {
      expect((await log.waitFor(MESSAGES + 1)).at(-1)?.json).toContain("live again");
      close();
    }
  });
});

describe("a publisher that does not read its answers", () => {
  it("is not read on, and takes no memory of the server's", async () => {
    const { webSocket, controls, pause, resume, close } = await openWebSocket(
      `${server.url}/channels/chat?room=deaf`,
    );
    const before = await server.memory();
    pause();
    // Nearly all are over the rate, and each is answered with its ref.
    const frames = 150_000;
    const ref = "r".repeat(100);
    for (let frame = 0; frame < frames; frame += 1) webSocket.send(`{"type":"m","data":1,"ref":"${ref}"}`);
    let left = -1;
    await expect
      .poll(() => [left, (left = webSocket.bufferedAmount)], { ...PATIENT, interval: 500 })
      .toSatisfy(([earlier, now]: number[]) => earlier === now);
    expect((await server.memory()) - before).toBeLessThan(20 * MIB);
    resume();
    await expect.poll(() => controls.length, { ...PATIENT, timeout: 50_000 }).toBe(frames + 1);
    close();
  }, 90_000);
});

describe("a stalled subscriber", () => {
  it("is gone soon after the server has ended its connection, read or not", async () => {
    await using server = await startGuardedServer();
    const token = server.tokenFor(() => ({ ok: true, subject: "stalled" }));
    const { host, hostname, port } = new URL(server.server.url);
    const socket = connectTcp(Number(port), hostname);
    const request = ["GET /channels/guarded HTTP/1.1", `host: ${host}`, `authorization: Bearer ${token}`];
    socket.write(`${request.join("\r\n")}\r\n\r\n`);
    await once(socket, "readable"); // and nothing is read
    for (let batch = 0; batch < 40; batch += 1) await server.server.publish("guarded", BATCH);
    const disconnect = { method: "POST", body: '{"subject":"stalled"}' };
    const response = await server.server.internal("/_chanctl/disconnect", disconnect);
    expect(await response.json()).toEqual({ closed: 1 });
    const writes = (): Promise<boolean> =>
      new Promise((resolve) => void socket.write("\r\n", (error) => resolve(error == null)));
    socket.on("error", () => {});
    await expect.poll(writes, PATIENT).toBe(false);
  });

  it.each([1, 20_000, MIB])(
    "reads on with a budget of %i bytes, however small beside the socket's own",
    async (maxUnsentBytes) => {
      await using tight = await startTestServer({
        channels: { chat: PUBLIC_ROOMS },
        limits: { maxUnsentBytes },
      });
      for (const { connect } of [sseClient, webSocketClient]) {
        const { log, pause, resume, close } = await connect(
          `${tight.url}/channels/chat?last_message_id=start`,
        );
        pause();
        const before = log.received.length;
        for (let batch = 0; batch < 20; batch += 1) await tight.publish("chat", BATCH);
        resume();
        await log.waitFor(before + 20 * BATCH.length);
        close();
      }
    },
  );
});
