import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProject, PUBLIC_ROOMS } from "../support/server.ts";
import { startGuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const MIB = 1_024 * 1_024;
const BATCH = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(50_000) }));

let root: string;
let server: ServerProcess;

beforeAll(async () => {
  root = makeProject();
  server = await startServerProcess(root, { chat: PUBLIC_ROOMS });
});
afterAll(async () => {
  await server.kill();
  rmSync(root, { recursive: true, force: true });
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
});
