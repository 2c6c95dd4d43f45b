import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";

import { afterEach, expect, test, vi } from "vitest";

import { createChannels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";

const TOKEN = "the-token-of-this-test";

function newChat() {
  const chat = defineChannel({
    transport: "ws",
    paramsSchema: {
      type: "object",
      properties: { room: { type: "string" }, page: { type: "integer" } },
      required: ["room"],
    },
    public: true,
  });
  createChannels({ chat });
  return chat;
}

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A broker that gives these answers, one after the other; `"reset"` breaks the connection off. */
async function startBroker(answers: (Answer | "reset")[], port = 0): Promise<FixtureApp & { seen: Seen[] }> {
  const seen: Seen[] = [];
  const app = await startFixtureApp(async (request, response) => {
    seen.push({ url: request.url, headers: request.headers, body: await json(request) });
    const answer = answers.shift();
    if (answer === undefined || answer === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body ?? {}));
  }, port);
  vi.stubEnv("CHANCTL_URL", app.url);
  vi.stubEnv("CHANCTL_TOKEN", TOKEN);
  return { ...app, seen };
}

const MESSAGE = { type: "message", data: { text: "hi" } };

afterEach(() => {
  vi.unstubAllEnvs();
});

test("posts a message to its room's stream and resolves with its id", async () => {
  await using broker = await startBroker([{ status: 200, body: { ids: ["7"] } }]);
  expect(await newChat().publish({ room: "a b&c", page: 2 }, MESSAGE)).toEqual({ id: "7", ids: ["7"] });
  const [seen] = broker.seen;
  expect(seen?.url).toBe("/channels/chat/messages?room=a+b%26c&page=2");
  expect(seen?.headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    "content-type": "application/json",
    "idempotency-key": expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(seen?.body).toEqual(MESSAGE);
});

test("posts several messages as one batch and resolves with their ids", async () => {
  await using broker = await startBroker([{ status: 200, body: { ids: ["7", "8"] } }]);
  expect(await newChat().publish({ room: "a" }, [MESSAGE, MESSAGE])).toEqual({ id: "8", ids: ["7", "8"] });
  expect(broker.seen[0]?.body).toEqual([MESSAGE, MESSAGE]);
});

test("tries again with the same key until the broker is back", async () => {
  const problem = { code: "store_unavailable", detail: "the store is being reopened" };
  await using broker = await startBroker([
    "reset",
    { status: 503, body: problem },
    { status: 502 },
    { status: 504 },
    { status: 429, headers: { "retry-after": "0" } },
    { status: 200, body: { ids: ["9"] } },
  ]);
  expect(await newChat().publish({ room: "a" }, MESSAGE)).toEqual({ id: "9", ids: ["9"] });
  expect(broker.seen).toHaveLength(6);
  expect(new Set(broker.seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
});

test("tries what travels together again with the same key and the same messages", async () => {
  await using broker = await startBroker([
    "reset",
    { status: 503 },
    { status: 200, body: { ids: ["7", "8"] } },
    { status: 200, body: { ids: ["9"] } },
  ]);
  const chat = newChat();
  const together = [chat.publish({ room: "a" }, MESSAGE), chat.publish({ room: "a" }, MESSAGE)];
  await expect.poll(() => broker.seen.length, PATIENT).toBeGreaterThan(0);
  const later = chat.publish({ room: "a" }, MESSAGE);
  expect((await Promise.all([...together, later])).map(({ id }) => id)).toEqual(["7", "8", "9"]);
  const [first, second, third, last] = broker.seen.map(({ headers, body }) => ({
    key: headers["idempotency-key"],
    body,
  }));
  expect(first?.body).toEqual([MESSAGE, MESSAGE]);
  expect([second, third]).toEqual([first, first]);
  expect(last?.body).toEqual(MESSAGE);
  expect(last?.key).not.toBe(first?.key);
});

test("throws for each whose id the broker does not give", async () => {
  await using _broker = await startBroker([{ status: 200, body: { ids: ["7"] } }]);
  const chat = newChat();
  const [first, second] = [chat.publish({ room: "a" }, MESSAGE), chat.publish({ room: "a" }, MESSAGE)];
  await expect(second).rejects.toMatchObject({ code: "internal" });
  expect(await first).toMatchObject({ id: "7" });
});

test("tries again while nothing listens", async () => {
  const first = await startBroker([]);
  await first[Symbol.asyncDispose]();
  const publishing = newChat().publish({ room: "a" }, MESSAGE);
  const port = Number(new URL(first.url).port);
  await using broker = await startBroker([{ status: 200, body: { ids: ["1"] } }], port);
  expect(await publishing).toEqual({ id: "1", ids: ["1"] });
  expect(broker.seen).toHaveLength(1);
});

test("waits as long as the broker asks", async () => {
  await using broker = await startBroker([
    { status: 503, headers: { "retry-after": "1" } },
    { status: 200, body: { ids: ["1"] } },
  ]);
  const startedAt = performance.now();
  await newChat().publish({ room: "a" }, MESSAGE);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  expect(broker.seen).toHaveLength(2);
});

test("gives each publish a key of its own, or the one that it is given", async () => {
  const stored = { status: 200, body: { ids: ["1"] } };
  await using broker = await startBroker([stored, stored, stored]);
  const chat = newChat();
  await chat.publish({ room: "a" }, MESSAGE);
  await chat.publish({ room: "a" }, MESSAGE);
  await chat.publish({ room: "a" }, MESSAGE, { idempotencyKey: "order-17" });
  const keys = broker.seen.map(({ headers }) => headers["idempotency-key"]);
  expect(new Set(keys).size).toBe(3);
  expect(keys[2]).toBe("order-17");
});

test("throws what the broker refuses, with its code and fix, and does not try again", async () => {
  const body = {
    title: "…",
    status: 400,
    code: "message_invalid",
    detail: "`text` is missing",
    fix: "send it",
  };
  await using broker = await startBroker([{ status: 400, body }]);
  await expect(newChat().publish({ room: "a" }, MESSAGE)).rejects.toMatchObject({
    name: "ChanctlError",
    code: "message_invalid",
    message: "`text` is missing",
    hint: "send it",
    status: 400,
  });
  expect(broker.seen).toHaveLength(1);
});

test("throws when whoever answers is not the broker", async () => {
  await using broker = await startBroker([{ status: 200, body: "<html>" }]);
  await expect(newChat().publish({ room: "a" }, MESSAGE)).rejects.toMatchObject({ code: "internal" });
  expect(broker.seen).toHaveLength(1);
});

test("gives up after `timeoutMs` with why it could not", async () => {
  const broker = await startBroker([]);
  await broker[Symbol.asyncDispose]();
  await expect(newChat().publish({ room: "a" }, MESSAGE, { timeoutMs: 120 })).rejects.toMatchObject({
    code: "cannot_connect",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("gives up on a broker that does not answer", async () => {
  await using broker = await startFixtureApp(() => {});
  vi.stubEnv("CHANCTL_URL", broker.url);
  vi.stubEnv("CHANCTL_TOKEN", TOKEN);
  await expect(newChat().publish({ room: "a" }, MESSAGE, { timeoutMs: 120 })).rejects.toMatchObject({
    code: "cannot_connect",
    message: expect.stringContaining("no answer within 120 ms"),
  });
});

test("stops at once when its signal aborts, with the signal's reason", async () => {
  const broker = await startBroker([]);
  await broker[Symbol.asyncDispose]();
  const stop = new AbortController();
  const publishing = newChat().publish({ room: "a" }, MESSAGE, { signal: stop.signal });
  const reason = new Error("the request was cancelled");
  stop.abort(reason);
  await expect(publishing).rejects.toBe(reason);
});

test("says what is missing when the app was not started by chanctl", async () => {
  vi.stubEnv("CHANCTL_TOKEN", TOKEN);
  vi.stubEnv("CHANCTL_URL", "");
  await expect(newChat().publish({ room: "a" }, MESSAGE)).rejects.toMatchObject({
    code: "cannot_connect",
    message: expect.stringContaining("needs a URL in `CHANCTL_URL`, got none"),
  });
});

test("says what to write when the channel has no name yet", async () => {
  const nameless = defineChannel({ public: true });
  await expect(nameless.publish({}, MESSAGE)).rejects.toMatchObject({
    code: "not_bound",
    hint: expect.stringContaining("createChannels({ chat })"),
  });
});
