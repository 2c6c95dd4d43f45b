import { createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { connect } from "#src/client.ts";
import { startTestApp } from "../support/app-answers.ts";
import { listen, WAYS } from "../support/client.ts";
import { startCuttable } from "../support/cuttable.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer, TestServerOptions } from "../support/server.ts";

async function startRooms(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const toMessage = (data: unknown) => ({ type: "message", data });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe.each(WAYS)("over $name", ({ name, options }) => {
  it("makes a connection anew that has died without a word", async () => {
    const server = await startRooms();
    const network = await startCuttable(server.url);
    const { connection, data } = listen("chat", { url: network.url, ...options, silenceMs: 2_000 });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    network.freeze();
    await server.publish("chat", toMessage("unheard"));
    await vi.waitFor(() => expect(data).toEqual(["unheard"]), PATIENT);
  });

  it("keeps a connection on which only signs of life come", async () => {
    const server = await startRooms({ channels: { chat: { ...PUBLIC_ROOMS, keepaliveIntervalMs: 1_000 } } });
    const network = await startCuttable(server.url);
    const { connection } = listen("chat", { url: network.url, ...options, silenceMs: 8_000 });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    const before = network.carried();
    await vi.waitFor(() => expect(network.carried()).toBeGreaterThan(before + 10), PATIENT);
    const connects = () => server.logged.filter(({ event }) => event === "connect").length;
    expect(connects()).toBe(1);
  });

  it("stores once what is published while the network is cut", async () => {
    const server = await startRooms();
    const network = await startCuttable(server.url);
    const { connection, data } = listen("chat", { url: network.url, ...options });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    const published: Promise<unknown>[] = [];
    for (let round = 0; round < 4; round += 1) {
      for (const number of numbers(10)) published.push(connection.publish(toMessage(round * 10 + number)));
      if (round < 3) setTimeout(network.cut, round);
      await vi.waitFor(() => expect(data.length).toBeGreaterThan(round * 10), PATIENT);
    }
    const ids = (await Promise.all(published)) as { id: string }[];
    await vi.waitFor(() => expect(data).toHaveLength(40), PATIENT);
    expect(data.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers(40));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(40);
  });

  it("refuses a publish more than may wait, and gives up those that wait when it is closed", async () => {
    const { connection } = listen("chat", { url: "http://127.0.0.1:9", ...options, maxQueued: 2 });
    const waiting = [connection.publish(toMessage(1)), connection.publish(toMessage(2))];
    await expect(connection.publish(toMessage(3))).rejects.toMatchObject({ code: "queue_full" });
    connection.close();
    connection.close();
    for (const publish of waiting) await expect(publish).rejects.toMatchObject({ code: "connection_closed" });
    await expect(connection.publish(toMessage(4))).rejects.toMatchObject({ code: "connection_closed" });
  });

  it("publishes more than the server takes in one go, as fast as it takes it", async () => {
    const server = await startRooms({ limits: { maxPublishesPerSec: 20, publishBurst: 20 } });
    const { connection, data } = listen("chat", { url: server.url, ...options });
    await Promise.all(numbers(50).map((number) => connection.publish(toMessage(number))));
    await vi.waitFor(() => expect(data).toHaveLength(50), PATIENT);
  });

  it("says of a message that is too big that it is, and goes on", async () => {
    const server = await startRooms({ limits: { maxMessageBytes: 100 } });
    const { connection, data } = listen("chat", { url: server.url, ...options });
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    const tooBig = connection.publish(toMessage("x".repeat(200)));
    const behind = numbers(20).map((number) => connection.publish(toMessage(number)));
    await expect(tooBig).rejects.toMatchObject({ code: "too_big", status: 413 });
    await Promise.all(behind);
    await vi.waitFor(() => expect(data).toEqual(numbers(20)), PATIENT);
  });

  it("gives an iterator every message, however slowly it takes them, and holds few of them", async () => {
    const server = await startRooms();
    for (let batch = 0; batch < 5; batch += 1) {
      await server.publish(
        "chat",
        numbers(1_000).map((number) => toMessage(batch * 1_000 + number)),
      );
    }
    const { connection } = listen("chat", { url: server.url, ...options, lastMessageId: "start" });
    const taken: unknown[] = [];
    let told = 0;
    connection.on("message", () => (told += 1));
    for await (const { data } of connection) {
      taken.push(data);
      expect(told - taken.length).toBeLessThanOrEqual(1_001);
      // To publish needs no place in the iterator.
      if (taken.length === 1) {
        await vi.waitFor(() => expect(told).toBeGreaterThan(1_000), PATIENT);
        await connection.publish(toMessage("last"));
      }
      if (data === "last") connection.close();
    }
    expect(taken).toEqual([...numbers(5_000), "last"]);
  });

  it("ends an iterator with the error that ends the connection", async () => {
    const server = await startRooms();
    const { connection } = listen("nothing", { url: server.url, ...options });
    const reading = (async () => {
      for await (const _ of connection) throw new Error("a message of a channel that there is not");
    })();
    await expect(reading).rejects.toMatchObject({ code: "channel_unknown", status: 404 });
  });

  it("goes on when a handler throws, which is not hidden", async () => {
    const server = await startRooms();
    const { connection, data } = listen("chat", { url: server.url, ...options });
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", onUnhandled);
    try {
      connection.on("message", () => {
        throw new Error("of the page");
      });
      await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
      await server.publish("chat", [toMessage(1), toMessage(2)]);
      await vi.waitFor(() => expect(data).toEqual([1, 2]), PATIENT);
      await vi.waitFor(() => expect(unhandled).toHaveLength(2), PATIENT);
    } finally {
      process.removeListener("unhandledRejection", onUnhandled);
      for (const listener of others) process.on("unhandledRejection", listener);
    }
  });

  it(`tells a handler nothing more once it is taken away (${name})`, async () => {
    const server = await startRooms();
    const { connection, data } = listen("chat", { url: server.url, ...options });
    const told: unknown[] = [];
    const off = connection.on("message", (message) => void told.push(message));
    await vi.waitFor(() => expect(connection.status).toBe("live"), PATIENT);
    off();
    await server.publish("chat", toMessage(1));
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
    expect(told).toEqual([]);
  });
});

it("stores once what the app had not let pass when the connection was ended", async () => {
  let mayPass = false;
  const asked: unknown[] = [];
  const app = await startTestApp(({ path, body }) => {
    if (path === "/channels/authorize") return { ok: true, subject: "u1" };
    asked.push(body["message"]);
    return mayPass ? { ok: true } : undefined; // not answered
  });
  onTestFinished(() => app[Symbol.asyncDispose]());
  const definition = { transport: "ws", auth: { headerName: "authorization" }, onPublish: true };
  const server = await startRooms({ channels: { chat: definition }, app: { url: app.url } });
  const { connection, data } = listen("chat", { url: server.url, ...WAYS[0].options, token: "u1" });
  const published = connection.publish(toMessage(1));
  await vi.waitFor(() => expect(asked).toHaveLength(1), PATIENT);
  mayPass = true;
  await server.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" }));
  await published;
  await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
  expect(asked).toHaveLength(2);
});

/** A proxy that lets no WebSocket through. */
async function startWithoutUpgrades(target: string): Promise<string> {
  const { port } = new URL(target);
  const { connect: open } = await import("node:net");
  const server = createServer((client) => {
    client.on("error", () => {});
    client.once("data", (head) => {
      if (/^upgrade:/im.test(head.toString())) {
        client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      const upstream = open(Number(port), "127.0.0.1");
      upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe("where no WebSocket can be opened", () => {
  it("falls back to events at once, and publishes by POST", async () => {
    const server = await startRooms();
    const url = await startWithoutUpgrades(server.url);
    const { connection, data, statuses } = listen("chat", { url, webSocket: WebSocket });
    await connection.publish(toMessage(1));
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
    expect(statuses).toEqual(["live"]);
    expect(server.logged.find(({ event }) => event === "connect")?.fields).toMatchObject({
      transport: "sse",
    });
  });

  it("reads by events where there is no WebSocket at all, as in Node 20", async () => {
    const server = await startRooms();
    const { connection, data } = listen("chat", { url: server.url });
    await connection.publish(toMessage(1));
    await vi.waitFor(() => expect(data).toEqual([1]), PATIENT);
  });

  it("says what it needs where it is told to use a WebSocket alone", () => {
    vi.stubGlobal("WebSocket", undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(() => connect("chat", { url: "http://localhost", transport: "ws" })).toThrow("`webSocket`");
  });
});

it("says that it needs a URL where there is no page", () => {
  expect(() => connect("chat")).toThrow(expect.objectContaining({ code: "usage" }));
});
