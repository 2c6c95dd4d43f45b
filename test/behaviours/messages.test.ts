import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createChannels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";
import { startServe } from "../support/serve.ts";
import { startTestApp } from "../support/app-answers.ts";
import type { Answer, TestApp } from "../support/app-answers.ts";
import { bearer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { httpPublisher, webSocketPublisher } from "../support/publisher-client.ts";
import type { ClientPublish, PublishAnswer } from "../support/publisher-client.ts";
import { jsonBody, makeProject, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const ROOM = { type: "object", properties: { room: { type: "string" } } };
const HELLO = { type: "message", data: { text: "hello" } };
const GUARDED = {
  transport: "ws",
  auth: { headerName: "authorization" },
  paramsSchema: ROOM,
  messages: { message: TEXT },
};

let app: TestApp;
let server: TestServer;
let onPublish: Answer;
let rooms = 0;

beforeAll(async () => {
  // Who shows the token `u1` is u1.
  app = await startTestApp((call, response) => {
    const { header } = call.body as { header?: { value: string } };
    return header === undefined ? onPublish(call, response) : { ok: true, subject: header.value };
  });
  server = await startTestServer({
    channels: {
      open: PUBLIC_ROOMS,
      guarded: GUARDED,
      shown: { ...GUARDED, onPublish: true },
      read: { ...PUBLIC_ROOMS, transport: "sse" },
    },
    app: { url: app.url },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});
beforeEach(() => {
  rooms += 1;
  onPublish = () => ({ ok: true });
});

/** This test's own room of a channel. */
function roomOf(channel: string): string {
  return `${channel}?room=${rooms}`;
}

/** What the app was asked about the messages of this test's room. */
function shown(): unknown[] {
  return app.calls
    .filter(({ path }) => path === "/channels/on-publish")
    .filter(({ body }) => (body["params"] as { room: string }).room === String(rooms))
    .map(({ body }) => body["message"]);
}

interface Stored {
  readonly id: string;
  readonly data: unknown;
  readonly from?: string;
}

/** All messages of this test's room, read as the app. */
async function stored(channel: string): Promise<Stored[]> {
  const [end] = await server.publish(roomOf(channel), { type: "message", data: { text: "end" } });
  const url = `${server.internalUrl}/channels/${roomOf(channel)}&last_message_id=start`;
  const { log, close } = await openSse(url, { headers: bearer(server.token) });
  const messages = await log.waitFor(Number(end?.split("_")[1]));
  close();
  return messages.slice(0, -1).map(({ json }) => JSON.parse(json) as Stored);
}

async function storedData(channel: string): Promise<unknown[]> {
  return (await stored(channel)).map(({ data }) => data);
}

/** Publishes as the app; for what is refused. */
async function postAsApp(
  channel: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await server.internal(toMessagesPath(roomOf(channel)), jsonBody(body, headers));
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

describe.each([webSocketPublisher, httpPublisher])("over $name", (client) => {
  const isHttp = client.name === "HTTP";

  /** Publishes HELLO as u1, unless the test says otherwise. */
  function publish(
    channel: string,
    { body = HELLO, token = "u1", ...rest }: Partial<Omit<ClientPublish, "channel">> = {},
  ): Promise<PublishAnswer> {
    return client.publish(server.url, { channel: roomOf(channel), body, token, ...rest });
  }

  /** Sends a text that is published as it is. */
  async function sendText(channel: string, body: string): Promise<void> {
    if (isHttp) return void (await publish(channel, { body }));
    const { webSocket, control, close } = await openWebSocket(`${server.url}/channels/${roomOf(channel)}`, {
      headers: bearer("u1"),
    });
    webSocket.send(body);
    await control({ control: "ack" });
    close();
  }

  /** What a refusal looks like; a status is seen over HTTP only. */
  function refusal(status: number, rest: Omit<PublishAnswer, "status">): PublishAnswer {
    return { ...(isHttp ? { status } : {}), ...rest };
  }

  it("ids once durable: answers with the message's id, and it is there after a kill -9", async () => {
    const root = makeProject();
    const first = await startServerProcess(root, { open: PUBLIC_ROOMS });
    const ids = [];
    for (let number = 1; number <= 5; number += 1) {
      const { id } = await client.publish(first.url, { channel: "open", body: { type: "n", data: number } });
      ids.push(id);
    }
    await first.kill();
    await using second = await startServerProcess(root, { open: PUBLIC_ROOMS });
    const { log, close } = await openSse(`${second.url}/channels/open?last_message_id=start`);
    const messages = await log.waitFor(5);
    close();
    expect(messages.map(({ id }) => id)).toEqual(ids);
    await second.kill();
    rmSync(root, { recursive: true, force: true });
  });

  it("a schema checked for clients: refuses what does not fit with its place, and stores nothing", async () => {
    for (const data of [{ text: 1 }, {}, "hello"]) {
      const answer = await publish("guarded", { body: { type: "message", data } });
      expect(answer).toMatchObject(refusal(400, { code: "message_invalid" }));
      expect(answer.text).toMatch(/^data(?:\.text)? must /);
    }
    expect(await stored("guarded")).toEqual([]);
  });

  it("a schema checked for clients: has the app not asked about what does not fit", async () => {
    const { code } = await publish("shown", { body: { type: "message", data: {} } });
    expect(code).toBe("message_invalid");
    expect(shown()).toEqual([]);
  });

  it("an unknown type: is refused, and the near one is named", async () => {
    expect(await publish("guarded", { body: { ...HELLO, type: "mesage" } })).toEqual(
      refusal(400, {
        code: "message_invalid",
        text: "`type` must be a message type of `guarded`, got `mesage`",
        fix: "did you mean `message`?",
      }),
    );
    expect(await stored("guarded")).toEqual([]);
  });

  it("onPublish is asked: is told channel, params, subject, transport and the message, once, before it is stored", async () => {
    let storedThen: number | undefined;
    onPublish = async () => {
      storedThen = (await stored("shown")).length;
      return { ok: true };
    };
    await publish("shown");
    expect(storedThen).toBe(0);
    expect(app.calls.findLast(({ path }) => path === "/channels/on-publish")).toEqual({
      text: expect.any(String),
      path: "/channels/on-publish",
      authorization: `Bearer ${server.token}`,
      body: {
        version: 1,
        channel: "shown",
        params: { room: String(rooms) },
        subject: "u1",
        transport: isHttp ? "http" : "ws",
        message: HELLO,
      },
    });
    expect(shown()).toEqual([HELLO]);
  });

  it.each(["12345678901234567890", "1.0", '{ "b" : 1e2,"a":"\\u0061" }'])(
    "data keeps the writer's bytes: %s is stored as it came",
    async (data) => {
      const { log, close } = await openSse(`${server.url}/channels/${roomOf("open")}`);
      await sendText("open", `{"type":"message","data":${data}}`);
      const [message] = await log.waitFor(1);
      expect(message?.json).toContain(`"data":${data},"time":`);
      close();
    },
  );

  it("data keeps the writer's bytes: also of a message that onPublish sends back as it was", async () => {
    onPublish = ({ body }) => ({ ok: true, message: body["message"] });
    // JavaScript has no such numbers: the app sends others back.
    const data = '{"text":"a","exact":[12345678901234567890,1.0]}';
    const { log, close } = await openSse(`${server.internalUrl}/channels/${roomOf("shown")}`, {
      headers: bearer(server.token),
    });
    await sendText("shown", `{"type":"message","data":${data}}`);
    const [message] = await log.waitFor(1);
    expect(message?.json).toContain(`"data":${data},`);
    close();
  });

  it("data keeps the writer's bytes: onPublish is shown them, and what it makes of them keeps its own", async () => {
    const data = '{"text":"a","exact":[12345678901234567890,1.0]}';
    const made = data.replace("890", "891");
    onPublish = (_, response) => {
      response.end(`{"ok":true,"message":{"type":"message","data":${made}}}`);
    };
    const { log, close } = await openSse(`${server.internalUrl}/channels/${roomOf("shown")}`, {
      headers: bearer(server.token),
    });
    await sendText("shown", `{"type":"message","data":${data}}`);
    const [message] = await log.waitFor(1);
    expect(message?.json).toContain(`"data":${made},`);
    expect(app.calls.findLast(({ path }) => path === "/channels/on-publish")?.text).toContain(
      `"data":${data}}}`,
    );
    close();
  });

  const asWritten = (answer: unknown): string => JSON.stringify(answer);
  const escaped = (answer: unknown): string =>
    JSON.stringify(answer).replaceAll(/[\u0080-\uffff<]/g, (unit) => {
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    });

  it.each([
    ["ASCII", "x".repeat(65_536 - 11), asWritten, 65_536],
    ["ASCII under a limit of its own", "x".repeat(262_144 - 11), asWritten, 262_144],
    ["all escapes", "<".repeat(65_536 - 11), escaped, 65_536],
    ["Cyrillic as Python escapes it", "ж".repeat((65_536 - 12) / 2), escaped, 65_536],
  ])(
    "onPublish sends back a message of just the limit: it is stored, %s",
    async (_, text, write, maxMessageBytes) => {
      await using echo = await startTestApp(({ path, body }, response) => {
        if (path !== "/channels/on-publish") return { ok: true };
        return void response.end(write({ ok: true, message: body["message"] }));
      });
      await using large = await startTestServer({
        channels: { shown: { ...GUARDED, onPublish: true } },
        app: { url: echo.url },
        limits: { maxMessageBytes },
      });
      const body = { type: "message", data: { text } };
      expect(await client.publish(large.url, { channel: "shown", body, token: "u1" })).toEqual({
        id: expect.any(String),
      });
      const { log, close } = await openSse(`${large.internalUrl}/channels/shown?last_message_id=start`, {
        headers: bearer(large.token),
      });
      expect(await log.dataOf(1)).toEqual([{ text }]);
      close();
    },
  );

  it("onPublish changes a message: stores what the app made of it", async () => {
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: "changed" } } });
    const { id } = await publish("shown");
    expect(await stored("shown")).toEqual([
      expect.objectContaining({ id, data: { text: "changed" }, from: "u1" }),
    ]);
  });

  it.each([
    [{ ok: false, reason: "no shouting" }, 403, "forbidden"],
    [{ ok: false, reason: "no shouting", status: 401 }, 401, "unauthenticated"],
    [{ ok: false, reason: "no shouting", status: 404 }, 404, "channel_unknown"],
    [{ ok: false, reason: "no shouting", status: 418 }, 403, "forbidden"],
  ])("onPublish refuses a message: stores nothing at %j, and says why", async (answer, status, code) => {
    onPublish = () => answer;
    expect(await publish("shown")).toEqual(refusal(status, { code, text: "no shouting" }));
    expect(await stored("shown")).toEqual([]);
  });

  it("onPublish returns what does not fit: is checked like anything else, and not stored", async () => {
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: 1 } } });
    expect(await publish("shown")).toEqual(
      refusal(400, {
        code: "message_invalid",
        text: "the app's `onPublish` made what cannot be stored: data.text must be string",
      }),
    );
    onPublish = () => ({ ok: true, message: { type: "nope", data: { text: "a" } } });
    expect(await publish("shown")).toMatchObject(refusal(400, { code: "message_invalid" }));
    expect(await stored("shown")).toEqual([]);
  });

  it("onPublish returns what does not fit: the log names the channel and what is wrong, once a second", async () => {
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: 1 } } });
    const startedAt = performance.now();
    const lines = (): string[] =>
      server.logged
        .filter(({ event, level }) => event === "hook-mistake" && level === "warn")
        .map(({ message }) => message);
    const before = lines().length;
    // The second of the test before may not be over.
    await expect
      .poll(() => publish("shown").then(() => lines().length), { ...PATIENT, interval: 300 })
      .toBeGreaterThan(before);
    for (let count = 0; count < 5; count += 1) await publish("shown");
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    expect(lines().length - before).toBeLessThanOrEqual(seconds);
    expect(lines()[0]).toMatch(/^shown: the app's `onPublish` made what .*: data\.text must be string/);
  });

  it("onPublish returns what does not fit: too deep a message is refused, not a bug", async () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    onPublish = (_, response) => {
      response.end(`{"ok":true,"message":{"type":"message","data":{"text":"a","more":${deep}}}}`);
    };
    expect(await publish("shown")).toMatchObject(
      refusal(400, { code: "malformed", text: expect.stringContaining("`onPublish`") }),
    );
    expect(await stored("shown")).toEqual([]);
  });

  it.each([
    ["garbage", () => "hello"],
    ["a message without data", () => ({ ok: true, message: { type: "message" } })],
    ["a message without a type", () => ({ ok: true, message: { data: { text: "x" } } })],
    ["a message that is a text", () => ({ ok: true, message: "x" })],
    ['ok: "true"', () => ({ ok: "true" })],
    ["500", (_, response) => void response.writeHead(500).end()],
    ["503 until it is given up", (_, response) => void response.writeHead(503).end()],
    ["a broken connection", (_, response) => void response.destroy()],
  ] satisfies [string, Answer][])(
    "onPublish is unavailable: answers app_unavailable and stores nothing at %s",
    async (_, answer) => {
      onPublish = answer;
      expect(await publish("shown")).toMatchObject(refusal(503, { code: "app_unavailable" }));
      expect(await stored("shown")).toEqual([]);
    },
  );

  it("from cannot be forged: is what the app said, whatever the client writes", async () => {
    await publish("guarded", { body: { ...HELLO, from: "admin", id: "0", time: 1, channel: "other" } });
    const [message] = await stored("guarded");
    expect(message).toMatchObject({ from: "u1", channel: "guarded" });
    expect(message).not.toMatchObject({ time: 1 });
  });

  it("from cannot be forged: is absent where nobody is signed in", async () => {
    await publish("open", { body: { ...HELLO, from: "admin" } });
    expect((await stored("open")).map((message) => "from" in message)).toEqual([false]);
  });

  it("a key makes a repeat harmless: gives the id of the first time, and stores nothing again", async () => {
    const answers = [];
    for (let repeat = 0; repeat < 3; repeat += 1) answers.push(await publish("guarded", { key: "k" }));
    answers.push(...(await Promise.all([1, 2, 3].map(() => publish("guarded", { key: "k" })))));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await storedData("guarded")).toEqual([HELLO.data]);
  });

  it("a key makes a repeat harmless: of many that come at once one is stored, though the app changes each anew", async () => {
    let changes = 0;
    onPublish = () => {
      changes += 1;
      return { ok: true, message: { type: "message", data: { text: `change ${changes}` } } };
    };
    const answers = await Promise.all(Array.from({ length: 8 }, () => publish("shown", { key: "k" })));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(await stored("shown")).toHaveLength(1);
  });

  it("a repeat with a key is not shown to onPublish again: gets its id, also while the app is away", async () => {
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: "changed" } } });
    const first = await publish("shown", { key: "k" });
    onPublish = (_, response) => void response.writeHead(500).end();
    expect(await publish("shown", { key: "k" })).toEqual(first);
    expect(shown()).toEqual([HELLO]);
    expect(await storedData("shown")).toEqual([{ text: "changed" }]);
  });

  it("a key with another body: is key_reused, and nothing is stored", async () => {
    await publish("guarded", { key: "k" });
    const body = { type: "message", data: { text: "other" } };
    expect(await publish("guarded", { key: "k", body })).toMatchObject(
      refusal(422, { code: "key_reused", text: "the idempotency key `k` was used for another message" }),
    );
    expect(await storedData("guarded")).toEqual([HELLO.data]);
  });

  it("a key with another body: is not shown to the app", async () => {
    await publish("shown", { key: "k" });
    const body = { type: "message", data: { text: "other" } };
    expect(await publish("shown", { key: "k", body })).toMatchObject(refusal(422, { code: "key_reused" }));
    expect(shown()).toEqual([HELLO]);
  });

  it("a key counts per stream and subject: another room's, another subject's and the app's own do not meet it", async () => {
    const text = (from: string) => ({ type: "message", data: { text: from } });
    await publish("guarded", { key: "k", body: text("u1") });
    await publish("guarded", { key: "k", token: "u2", body: text("u2") });
    await postAsApp("guarded", text("app"), { "idempotency-key": "k" });
    expect(await storedData("guarded")).toEqual([{ text: "u1" }, { text: "u2" }, { text: "app" }]);
    rooms += 1;
    await publish("guarded", { key: "k", body: text("other room") });
    expect(await storedData("guarded")).toEqual([{ text: "other room" }]);
  });

  it("a key of a refused publish is free: refused by the schema or by the app, it can be used", async () => {
    const bad = { type: "message", data: { text: 1 } };
    expect(await publish("shown", { key: "a", body: bad })).toMatchObject({ code: "message_invalid" });
    onPublish = () => ({ ok: false });
    expect(await publish("shown", { key: "b" })).toMatchObject({ code: "forbidden" });
    onPublish = () => ({ ok: true });
    expect(await publish("shown", { key: "a" })).toEqual({ id: expect.any(String) });
    expect(await publish("shown", { key: "b" })).toEqual({ id: expect.any(String) });
    expect(await stored("shown")).toHaveLength(2);
  });

  it("a key after kill -9: still gives the id of the first time", async () => {
    const root = makeProject();
    const keyed = { channel: "open", body: HELLO, key: "k" };
    const first = await startServerProcess(root, { open: PUBLIC_ROOMS });
    const { id } = await client.publish(first.url, keyed);
    await first.kill();
    await using second = await startServerProcess(root, { open: PUBLIC_ROOMS });
    expect(await client.publish(second.url, keyed)).toEqual({ id });
    expect(await client.publish(second.url, { ...keyed, key: "other" })).toEqual({
      id: expect.stringMatching(/_0{15}2$/),
    });
    await second.kill();
    rmSync(root, { recursive: true, force: true });
  });

  it.each([
    [
      "no JSON",
      '{"type":"message",',
      "not JSON: Expected double-quoted property name in JSON at position 18",
    ],
    ["no object", "1", "must be "],
    ["no type", '{"data":1}', "`type` of "],
    ["an empty type", '{"type":"","data":1}', "`type` of "],
    ["no data", '{"type":"message"}', "has no `data`"],
    ["too deep", `{"type":"m","data":${"[".repeat(300)}${"]".repeat(300)}}`, "nested deeper than 256"],
  ])("bad JSON names the place: %s", async (_, body, text) => {
    const answer = await publish("open", { body });
    expect(answer).toMatchObject(refusal(400, { code: "malformed" }));
    expect(answer.text).toContain(text);
    expect(await stored("open")).toEqual([]);
  });

  it("an sse channel: takes nothing from a client", async () => {
    const publishing = publish("read");
    if (isHttp) expect(await publishing).toMatchObject({ status: 403, code: "transport_forbidden" });
    else await expect(publishing).rejects.toMatchObject({ number: 4403, code: "transport_forbidden" });
    expect(await stored("read")).toEqual([]);
  });

  it("a full store: answers store_full, reading goes on", async (context) => {
    const stateFolder = mountSmallDisk(context, { megabytes: 24 });
    await using small = await startTestServer({ channels: { open: PUBLIC_ROOMS }, stateFolder });
    const body = { type: "m", data: "x".repeat(60_000) };
    const [start] = await small.publish("open", { type: "m", data: "first" });
    let refused: PublishAnswer | undefined;
    for (let count = 0; count < 1_000 && refused === undefined; count += 1) {
      const answer = await client.publish(small.url, { channel: "open", body });
      if (answer.id === undefined) refused = answer;
    }
    expect(refused).toMatchObject(refusal(507, { code: "store_full" }));
    const { log, close } = await openSse(`${small.url}/channels/open?last_message_id=start`);
    expect((await log.waitFor(1))[0]?.id).toBe(start);
    close();
  });
});

describe("over WebSocket", () => {
  it("onPublish calls of one connection in order: each is asked once the one before it is answered", async () => {
    let underWay = 0;
    let most = 0;
    onPublish = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return { ok: true };
    };
    const { send, log, close } = await openWebSocket(`${server.url}/channels/${roomOf("shown")}`, {
      headers: bearer("u1"),
    });
    const texts = Array.from({ length: 20 }, (_, index) => ({ text: String(index) }));
    for (const data of texts) send({ type: "message", data });
    expect(await log.dataOf(20)).toEqual(texts);
    expect(shown()).toEqual(texts.map((data) => ({ type: "message", data })));
    expect(most).toBe(1);
    close();
  });

  it("onPublish calls of one connection in order: a refusal holds up nothing behind it", async () => {
    onPublish = ({ body }) => ({ ok: (body["message"] as typeof HELLO).data.text !== "bad" });
    const { send, control, log, close } = await openWebSocket(`${server.url}/channels/${roomOf("shown")}`, {
      headers: bearer("u1"),
    });
    send({ type: "message", data: { text: "bad" }, ref: 1 });
    send({ type: "message", data: { text: "good" }, ref: 2 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "error", code: "forbidden" });
    expect(await log.dataOf(1)).toEqual([{ text: "good" }]);
    close();
  });

  it("a publish under way at a shutdown: is acknowledged where the app still lets it pass", async () => {
    await using ending = await startEnding();
    const { send, controls, log } = await ending.join();
    send({ ...HELLO, ref: 1 });
    await ending.whenAsked();
    const closing = ending.server.running.close();
    ending.answer();
    expect(await log.ended).toMatchObject({ closeCode: 1012 });
    await closing;
    expect(controls.map(({ control }) => control)).toEqual(["ready", "ack", "reconnect"]);
  });

  it("a publish under way at a shutdown: is refused by its ref, and not stored, where the app is too slow, and all behind it", async () => {
    await using ending = await startEnding();
    const { send, controls, log } = await ending.join();
    send({ ...HELLO, ref: "asked" });
    const numbers = Array.from({ length: 10 }, (_, ref) => ref);
    for (const ref of numbers) send({ ...HELLO, ref });
    await ending.whenAsked();
    const closing = ending.server.running.close();
    send({ ...HELLO, ref: "late" });
    expect(await log.ended).toMatchObject({ closeCode: 1012 });
    ending.answer();
    await closing;
    const refused = controls.filter(({ control, code }) => control === "error" && code === "service_restart");
    expect(refused.map(({ ref }) => ref)).toEqual(["asked", ...numbers, "late"]);
    expect(controls.at(-1)).toMatchObject({ control: "reconnect" });
    await using again = await startTestServer({ root: ending.server.root });
    expect(await again.publish("shown", HELLO)).toEqual([expect.stringMatching(/_0{15}1$/)]);
  });
});

/** A server that can be closed, and an app that lets messages pass when the test says so. */
async function startEnding() {
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow = await startTestApp(async ({ path }) => {
    if (path === "/channels/on-publish") await answered;
    return { ok: true };
  });
  const ending = await startTestServer({
    channels: { shown: { ...GUARDED, onPublish: true } },
    app: { url: slow.url },
  });
  const isAsked = (): boolean => slow.calls.some(({ path }) => path === "/channels/on-publish");
  return {
    server: ending,
    answer,
    whenAsked: () => expect.poll(isAsked, PATIENT).toBe(true),
    join: () => openWebSocket(`${ending.url}/channels/shown`, { headers: bearer("u1") }),
    [Symbol.asyncDispose]: async () => {
      await ending[Symbol.asyncDispose]();
      await slow[Symbol.asyncDispose]();
    },
  };
}

describe("over HTTP", () => {
  it("a schema checked for the app: refuses the app's own message too", async () => {
    const { status, answer } = await postAsApp("guarded", { type: "message", data: { text: 1 } });
    expect(status).toBe(400);
    expect(answer).toMatchObject({ code: "message_invalid", detail: "data.text must be string, got `1`" });
    expect(await stored("guarded")).toEqual([]);
  });

  it("onPublish and the app's own publish: the app is not asked about what it publishes itself", async () => {
    await server.publish(roomOf("shown"), HELLO);
    expect(await storedData("shown")).toEqual([HELLO.data]);
    expect(shown()).toEqual([]);
  });

  function post(channel: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    return fetch(
      server.url + toMessagesPath(roomOf(channel)),
      jsonBody(body, { ...bearer("u1"), ...headers }),
    );
  }

  it("a batch is all or nothing: answers with the ids in the order of the messages", async () => {
    const batch = [1, 2, 3].map((data) => ({ type: "message", data }));
    const { ids } = (await (await post("open", batch)).json()) as { ids: string[] };
    expect((await stored("open")).map(({ id, data }) => [id, data])).toEqual([
      [ids[0], 1],
      [ids[1], 2],
      [ids[2], 3],
    ]);
  });

  it("a batch is all or nothing: one bad message takes all with it, and is named", async () => {
    const response = await post("guarded", [HELLO, { type: "message", data: { text: 1 } }, HELLO]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "message_invalid",
      detail: "message 1: data.text must be string, got `1`",
      index: 1,
    });
    expect(await stored("guarded")).toEqual([]);
  });

  it("a batch is all or nothing: one message that the app refuses takes all with it", async () => {
    onPublish = ({ body }) => ({ ok: (body["message"] as typeof HELLO).data.text !== "bad" });
    const bad = { type: "message", data: { text: "bad" } };
    expect((await post("shown", [HELLO, bad, HELLO])).status).toBe(403);
    expect(await stored("shown")).toEqual([]);
  });

  it("a batch is all or nothing: a repeat with its key gets all the ids", async () => {
    const send = async (): Promise<unknown> =>
      (await post("shown", [HELLO, HELLO], { "idempotency-key": "k" })).json();
    const first = await send();
    expect(await send()).toEqual(first);
    expect(shown()).toHaveLength(2);
    expect(await stored("shown")).toHaveLength(2);
  });

  it.each(["text/plain", "application/jsonp", "application/x-www-form-urlencoded", undefined])(
    "wrong content-type: refuses %s with 415",
    async (type) => {
      const response = await fetch(server.url + toMessagesPath(roomOf("open")), {
        method: "POST",
        body: Buffer.from(JSON.stringify(HELLO)),
        ...(type === undefined ? {} : { headers: { "content-type": type } }),
      });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ code: "content_type_unsupported" });
      expect(await stored("open")).toEqual([]);
    },
  );

  it.each(["application/json; charset=utf-8", "Application/JSON"])(
    "wrong content-type: takes %s",
    async (type) => {
      expect((await post("open", HELLO, { "content-type": type })).status).toBe(200);
    },
  );

  it("wrong content-type: refuses a body that is encoded with 415, whatever it holds", async () => {
    const response = await post("open", HELLO, { "content-encoding": "gzip" });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: "content_type_unsupported" });
  });

  it.each([
    ["an empty body", "", "the body is not JSON: "],
    ["an empty array", "[]", "the body must hold at least one message, got an empty array"],
    ["which message of a batch", '[{"type":"m","data":1},{"type":"m"}]', "message 1 has no `data`"],
    ["which is no object", '[{"type":"m","data":1},2]', "message 1 must be an object"],
  ])("bad JSON names the place: %s", async (_, body, detail) => {
    const response = await post("open", body);
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe("malformed");
    expect(problem.detail).toContain(detail);
    expect(await stored("open")).toEqual([]);
  });

  it("bad JSON names the place: bytes that are not UTF-8 are not stored as others", async () => {
    const response = await fetch(server.url + toMessagesPath(roomOf("open")), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from([...Buffer.from('{"type":"m","data":"'), 0xff, ...Buffer.from('"}')]),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed", detail: "the body is not UTF-8" });
    expect(await stored("open")).toEqual([]);
  });

  it("the SDK through a broker restart: stores each publish once, in the order of who awaits each", async () => {
    const root = makeProject();
    const chat = defineChannel({ public: true });
    createChannels({ chat });
    let done = 0;
    const isOver = new AbortController();
    const options = { timeoutMs: 120_000 };
    const WAYS: readonly ((type: string, next: () => number) => Promise<unknown>)[] = [
      (type, next) => chat.publish({}, { type, data: next() }, options),
      (type, next) =>
        chat.publish(
          {},
          [
            { type, data: next() },
            { type, data: next() },
          ],
          options,
        ),
      (type, next) => Promise.all([1, 2, 3, 4].map(() => chat.publish({}, { type, data: next() }))),
    ];
    /** A loop that awaits each publish: one message, a batch, some that travel together. Returns how many. */
    const publishAll = async (type: string): Promise<number> => {
      let count = 0;
      for (let round = 0; !isOver.signal.aborted; round += 1) {
        await WAYS[round % WAYS.length]?.(type, () => count++);
        done += 1;
      }
      return count;
    };

    let broker = await startServe(root, { chat: { public: true } });
    vi.stubEnv("CHANCTL_URL", broker.internalUrl);
    vi.stubEnv("CHANCTL_TOKEN", broker.token);
    const names = ["a", "b", "c", "d"];
    const publishing = names.map(publishAll);
    for (let restart = 1; restart <= 3; restart += 1) {
      const before = done;
      await expect.poll(() => done, PATIENT).toBeGreaterThan(before + 50);
      await broker.kill();
      broker = await startServe(root, {});
      expect(broker.internalUrl).toBe(process.env["CHANCTL_URL"]);
    }
    isOver.abort();
    const sent = await Promise.all(publishing);
    // Now no publish is under way: the connections that are kept alive end with the broker, and the next must not use them.
    await broker.kill();
    broker = await startServe(root, {});
    const { id } = await chat.publish({}, { type: "end", data: 0 });

    const { log, close } = await openSse(`${broker.url}/channels/chat?last_message_id=start`);
    const messages = await log.waitFor(Number(id.split("_")[1]));
    close();
    const all = messages.map(({ json }) => JSON.parse(json) as { type: string; data: unknown });
    for (const [index, name] of names.entries()) {
      expect(all.filter(({ type }) => type === name).map(({ data }) => data)).toEqual([
        ...Array(sent[index]).keys(),
      ]);
    }
    vi.unstubAllEnvs();
    await broker.kill();
    rmSync(root, { recursive: true, force: true });
  });
});
