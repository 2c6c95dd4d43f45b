import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      read: { public: true },
      quiet: { public: true, keepaliveIntervalMs: 1_000 },
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("an event stream", () => {
  it("says what it is, and that nobody may store, change or buffer it", async () => {
    const { headers, close } = await openSse(`${server.url}/channels/read`, {
      headers: { "accept-encoding": "gzip, br" },
    });
    expect(headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    expect(headers["content-encoding"]).toBeUndefined();
    close();
  });

  it("begins with the reconnect delay and the position, before any message", async () => {
    const { startId, text, close } = await openSse(`${server.url}/channels/read`);
    expect(text()).toMatch(new RegExp(`^retry: \\d+\\nid: ${startId}\\n\\n$`));
    close();
  });

  it("spreads the reconnect delays of its clients", async () => {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => openSse(`${server.url}/channels/read`)),
    );
    const delays = streams.map(({ text }) => /^retry: (\d+)/.exec(text())?.[1]);
    expect(new Set(delays).size).toBeGreaterThan(5);
    for (const { close } of streams) close();
  });

  it("holds a message as an id and its JSON, without an event name, in lines that end with LF", async () => {
    const { log, text, close } = await openSse(`${server.url}/channels/chat?room=bytes`);
    const [id] = await server.publish("chat?room=bytes", { type: "message", data: { text: "hi" } });
    const [message] = await log.waitFor(1);
    expect(text().split("\n\n")[1]).toBe(`id: ${id}\ndata: ${message?.json}`);
    expect(text()).not.toContain("\r");
    close();
  });

  it("splits what is a line break in the writer's JSON into data lines", async () => {
    const { log, text, close } = await openSse(`${server.url}/channels/chat?room=lines`);
    const [id] = await server.publish("chat?room=lines", '{"type":"m","data":[1,\r\r\n"event: x"]}');
    await log.waitFor(1);
    const head = `{"id":"${id}","channel":"chat","type":"m","data":[1,`;
    expect(text()).toContain(`id: ${id}\ndata: ${head}\ndata: \ndata: "event: x"],"time":`);
    close();
  });

  it("sends an empty comment when nothing was sent for the keepalive interval", async () => {
    const { comments, text, log, close } = await openSse(`${server.url}/channels/quiet`);
    await expect.poll(() => comments.length, PATIENT).toBeGreaterThan(1);
    expect(text().replace(/^retry: \d+\nid: \w+\n\n/, "")).toMatch(/^(:\n\n)+$/);
    await server.publish("quiet", { type: "message", data: 1 });
    expect(await log.dataOf(1)).toEqual([1]);
    close();
  });
});

describe("the route", () => {
  it.each(["POST", "PUT", "DELETE", "HEAD", "PATCH"])(
    "refuses %s to a channel, and says what is allowed",
    async (method) => {
      const response = await fetch(`${server.url}/channels/read`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET");
    },
  );

  it("answers an error as a problem that a program and a person can read", async () => {
    const response = await fetch(`${server.url}/channels/chat?romo=1`);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      title: "params do not fit the channel",
      status: 400,
      code: "params_invalid",
      detail: "`chat` has no param `romo`",
      fix: "did you mean `room`?",
    });
  });

  it("serves a channel of either transport", async () => {
    for (const channel of ["read", "chat"]) {
      const { startId, close } = await openSse(`${server.url}/channels/${channel}`);
      expect(startId).toMatch(/^\d{16}_\d{16}$/);
      close();
    }
  });

  it("stores nothing for a room that is only read", async () => {
    const { close } = await openSse(`${server.url}/channels/chat?room=only-read`);
    const response = await server.internal("/_chanctl/tail/chat?room=only-read");
    expect(await response.json()).toEqual({ id: "0000000000000000_0000000000000000" });
    close();
  });
});
