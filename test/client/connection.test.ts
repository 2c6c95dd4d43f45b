import { describe, expect, it, onTestFinished, vi } from "vitest";
import { listen, WAYS } from "../support/client.ts";
import { startCuttable } from "../support/cuttable.ts";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer, TestServerOptions } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROOM = { params: { room: "lobby" } };

async function startRooms(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const toMessage = (data: unknown) => ({ type: "message", data });
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe.each(WAYS)("over $name", ({ options }) => {
  it("tells messages, its own too, and a publish resolves with the stored id", async () => {
    const server = await startRooms();
    const { connection, data, statuses } = listen("chat", { url: server.url, ...options, ...ROOM });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    await server.publish("chat?room=lobby", toMessage("from the app"));
    const ids: string[] = [];
    connection.on("message", ({ id }) => void ids.push(id));
    const { id } = await connection.publish(toMessage("hi"));
    await vi.waitFor(() => expect(data).toEqual(["from the app", "hi"]), PATIENT);
    expect(ids.at(-1)).toBe(id);
    expect(statuses).toEqual(["live"]);
  });

  it("begins with the last messages where it is told to", async () => {
    const server = await startRooms();
    await server.publish("chat?room=lobby", numbers(1, 5).map(toMessage));
    const { data } = listen("chat", { url: server.url, ...options, ...ROOM, rewind: 2 });
    const all = listen("chat", { url: server.url, ...options, ...ROOM, lastMessageId: "start" });
    await vi.waitFor(() => expect(data).toEqual([4, 5]), PATIENT);
    await vi.waitFor(() => expect(all.data).toEqual([1, 2, 3, 4, 5]), PATIENT);
  });

  it("goes on after the last message when the server has been killed and started again", async () => {
    const root = temporaryFolder();
    const first = await startServerProcess(root, { chat: PUBLIC_ROOMS });
    const { port } = new URL(first.url);
    const { connection, data } = listen("chat", { url: first.url, ...options, ...ROOM });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    await connection.publish(toMessage(1));
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
    await first.kill();
    await vi.waitFor(() => expect(connection.status).toBe("connecting"), PATIENT);
    // Published while nobody is there: they wait, and are stored once and in order.
    const published = Promise.all([2, 3, 4].map((number) => connection.publish(toMessage(number))));
    const second = await startServerProcess(root, { chat: PUBLIC_ROOMS }, { port: Number(port) });
    onTestFinished(() => second.kill());
    await published;
    await vi.waitFor(() => expect(data).toEqual([1, 2, 3, 4]), PATIENT);
  });

  it("misses nothing and doubles nothing while the network is cut again and again", async () => {
    const server = await startRooms();
    const { url, cut } = await startCuttable(server.url);
    const { data } = listen("chat", { url, ...options, ...ROOM, lastMessageId: "start" });
    for (let round = 0; round < 4; round += 1) {
      await server.publish("chat?room=lobby", numbers(round * 20 + 1, round * 20 + 20).map(toMessage));
      await vi.waitFor(() => expect(data.length).toBeGreaterThan(round * 20), PATIENT);
      cut();
    }
    await vi.waitFor(() => expect(data).toHaveLength(80), PATIENT);
    expect(data).toEqual(numbers(1, 80));
  });

  it.each([
    ["an unknown channel", "nothing", {}, "channel_unknown", 404],
    ["params that do not fit", "chat", { params: { nothing: "x" } }, "params_invalid", 400],
  ])("stops for good at %s", async (_, channel, more, code, status) => {
    const { url } = await startRooms();
    const { connection, errors, statuses } = listen(channel, { url, ...options, ...more });
    await vi.waitFor(() => expect(errors).toEqual([{ code, status }]), PATIENT);
    expect(statuses).toEqual(["closed"]);
    expect(connection.error).toMatchObject({ code });
    await expect(connection.publish(toMessage(1))).rejects.toMatchObject({ code });
  });

  it("says that there is a gap, and begins afresh as it was told to begin", async () => {
    const server = await startRooms();
    const ids = await server.publish("chat?room=lobby", numbers(1, 5).map(toMessage));
    const ofAnotherLife = "9999999999999999_0000000000000001";
    const { connection, data, gaps } = listen("chat", {
      url: server.url,
      ...options,
      ...ROOM,
      rewind: 2,
      lastMessageId: ofAnotherLife,
    });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    expect(gaps).toEqual([{ oldest: expect.any(String), newest: ids.at(-1) }]);
    await server.publish("chat?room=lobby", toMessage(6));
    await vi.waitFor(() => expect(data).toEqual([4, 5, 6]), PATIENT);
  });
});
