import { Client } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signJwt } from "#src/auth/sign-jwt.ts";
import { startTestApp } from "../../support/app-answers.ts";
import type { Answer, TestApp } from "../../support/app-answers.ts";
import { jsonBody, PUBLIC_ROOMS } from "../../support/server.ts";
import { CLOSED, outcomeOf, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";
import { openWebSocket } from "../../support/subscriber-client-websocket.ts";

const ORIGIN = "0000000000000000_0000000000000000";
const message = (data: unknown): string => JSON.stringify({ type: "message", data });

interface Stored {
  readonly id: string;
  readonly data: unknown;
  readonly from?: string;
}

const CHANNELS = {
  chat: PUBLIC_ROOMS,
  "game/moves": PUBLIC_ROOMS,
  news: { public: true },
  strict: {
    ...PUBLIC_ROOMS,
    messages: { message: { type: "object", properties: { text: { type: "string" } }, required: ["text"] } },
  },
  typed: {
    transport: "ws",
    public: true,
    paramsSchema: {
      type: "object",
      properties: { page: { type: "integer" }, mode: { type: "string", default: "all" } },
      required: ["page"],
    },
  },
} as const;

let server: StreamServer;
beforeAll(async () => {
  server = await startStreamServer({
    channels: CHANNELS,
    limits: { maxMessageBytes: 1_000, maxBatchMessages: 3 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const read = async (name: string): Promise<Stored[]> =>
  (await (await fetch(server.streamUrl(name))).json()) as Stored[];
const post = (
  name: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> => fetch(server.streamUrl(name), jsonBody(body, headers));

describe("the stream of a channel", () => {
  it("is there before its first message: `[]` at the origin, and reading stores nothing", async () => {
    for (const query of ["", "?offset=-1", "?offset=now", `?offset=${ORIGIN}`]) {
      const response = await fetch(server.streamUrl(`chat/room=empty${query}`));
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("stream-next-offset")).toBe(ORIGIN);
      expect(response.headers.get("stream-up-to-date")).toBe("true");
      expect(await response.text()).toBe("[]");
    }
    const head = await fetch(server.streamUrl("chat/room=empty"), { method: "HEAD" });
    expect([head.status, head.headers.get("stream-next-offset")]).toEqual([200, ORIGIN]);
    const tail = await server.internal("/_chanctl/tail/chat?room=empty");
    expect(await tail.json()).toEqual({ id: ORIGIN });
  });

  it("holds what is published on either side: the same messages under the same offsets", async () => {
    const url = server.streamUrl("chat/room=both");
    const first = await post("chat/room=both", message("from the stream"));
    const [second] = await server.publish("chat?room=both", { type: "message", data: "from the app" });
    const socket = await openWebSocket(`${server.url}/channels/chat?room=both&last_message_id=start`);
    const frames = await socket.log.waitFor(2);
    const stored = await read("chat/room=both");
    expect(stored.map(({ data }) => data)).toEqual(["from the stream", "from the app"]);
    expect(stored.map(({ id }) => id)).toEqual([first.headers.get("stream-next-offset"), second]);
    expect(frames.map(({ json }) => JSON.parse(json) as unknown)).toEqual(stored);
    socket.close();
    const rest = await fetch(`${url}?offset=${stored[0]?.id}`);
    expect(await rest.json()).toEqual(stored.slice(1));
  });

  it("keeps the bytes of `data` as they were written", async () => {
    await post("chat/room=bytes", '{"type":"message","data":{"n":12345678901234567890,"x":1.0}}');
    expect(await (await fetch(server.streamUrl("chat/room=bytes"))).text()).toContain(
      '"data":{"n":12345678901234567890,"x":1.0}',
    );
  });

  it.each([
    ["typed/page=1", "typed/mode=all/page=1"],
    ["typed/mode=all/page=1", "typed/page=1"],
    ["chat/room=a%2Fb", "chat/%72oom=a%2fb"],
    ["game/moves/room=x", "game/moves/room=x"],
  ])("%s is also %s", async (one, other) => {
    const data = `${one} ${other}`;
    await post(one, message(data));
    expect((await read(other)).map((stored) => stored.data)).toContain(data);
  });

  it.each([
    ["typed", 400, "params_invalid"],
    ["typed/page=one", 400, "params_invalid"],
    ["typed/page=1/page=2", 400, "params_invalid"],
    ["typed/page=1/other=2", 400, "params_invalid"],
    ["chat/token=abc", 400, "params_invalid"],
    ["chat/rewind=5", 400, "params_invalid"],
    ["chat/room", 404, "stream_unknown"],
    ["chat/=x", 404, "stream_unknown"],
    ["chat/room=a/rest", 404, "stream_unknown"],
    ["game/moves/other", 404, "stream_unknown"],
    ["chat//room=a", 400, "malformed"],
    ["chat/%2e%2e", 400, "malformed"],
    ["chat/%ff", 400, "malformed"],
  ])("%s is none: %d %s", async (name, status, code) => {
    for (const init of [{}, { method: "PUT" }, jsonBody(message(1))])
      expect(await outcomeOf(await fetch(server.streamUrl(name), init))).toEqual([status, code]);
  });
});

describe("a POST to a channel's stream", () => {
  it("is a publish, answered as an append is", async () => {
    const response = await post("chat/room=post", message(1));
    expect(response.status).toBe(204);
    const [stored] = await read("chat/room=post");
    expect(response.headers.get("stream-next-offset")).toBe(stored?.id);
    expect(stored).toMatchObject({ channel: "chat", type: "message", data: 1 });
    expect(stored).not.toHaveProperty("from");
  });

  it("stores an array together or not at all", async () => {
    const bad = await post("strict/room=batch", `[${message({ text: "a" })},${message({ text: 7 })}]`);
    expect(await outcomeOf(bad)).toEqual([400, "message_invalid"]);
    expect(await read("strict/room=batch")).toEqual([]);
    const good = await post("strict/room=batch", `[${message({ text: "a" })},${message({ text: "b" })}]`);
    expect(good.status).toBe(204);
    expect((await read("strict/room=batch")).map(({ data }) => data)).toEqual([{ text: "a" }, { text: "b" }]);
  });

  it("by the app, over the internal listener, may be to any channel, without limits", async () => {
    const response = await server.asApp("news", jsonBody(message("hi")));
    expect(response.status).toBe(204);
    expect((await read("news")).map(({ data }) => data)).toEqual(["hi"]);
  });

  it.each<[string, string, string, Record<string, string>, number, string]>([
    ["to a channel that clients only read", "news", message(1), {}, 403, "transport_forbidden"],
    ["without a type", "chat", message(1), { "content-type": "" }, 400, "malformed"],
    ["of another type", "chat", message(1), { "content-type": "text/plain" }, 409, "media_type_mismatch"],
    ["without a body", "chat", "", {}, 400, "malformed"],
    ["of an empty array", "chat", "[]", {}, 400, "malformed"],
    ["of no JSON", "chat", "{", {}, 400, "malformed"],
    ["of no message", "chat", '{"text":"hi"}', {}, 400, "malformed"],
    ["of a message too big", "chat", message("x".repeat(1_001)), {}, 413, "too_big"],
    ["of too many", "chat", `[${Array(4).fill(message(1)).join(",")}]`, {}, 413, "too_big"],
    ["of a message that does not fit", "strict", message({ text: 1 }), {}, 400, "message_invalid"],
    ["with an empty key", "chat", message(1), { "idempotency-key": "" }, 400, "malformed"],
    ["with half a producer", "chat", message(1), { "producer-id": "p" }, 400, "malformed"],
    ["that closes", "chat", message(1), { "stream-closed": "true" }, 405, "method_not_allowed"],
    ["that only closes", "chat", "", { "stream-closed": "true" }, 405, "method_not_allowed"],
  ])("%s is refused", async (_, name, body, headers, status, code) => {
    const response = await post(name, body, headers);
    if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD, PUT, POST");
    expect(await outcomeOf(response)).toEqual([status, code]);
  });

  it("with an `Idempotency-Key` is stored once, and its repeat answered alike", async () => {
    const key = { "idempotency-key": "k1" };
    const [first, again] = [
      await post("chat/room=key", message(1), key),
      await post("chat/room=key", message(1), key),
    ];
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get("stream-next-offset")).toBe(first.headers.get("stream-next-offset"));
    expect(await outcomeOf(await post("chat/room=key", message(2), key))).toEqual([422, "key_reused"]);
    expect(await read("chat/room=key")).toHaveLength(1);
  });

  it("keeps a key in common with the other way in", async () => {
    const key = { "idempotency-key": "k2" };
    await post("chat/room=common", message(1), key);
    const url = `${server.url}/channels/chat/messages?room=common`;
    const { ids } = (await (await fetch(url, jsonBody(message(1), key))).json()) as { ids: string[] };
    expect((await read("chat/room=common")).map(({ id }) => id)).toEqual(ids);
  });

  it("of an idempotent producer is judged as on any stream (section 5.2.1)", async () => {
    const send = (epoch: number, seq: number): Promise<Response> =>
      post("chat/room=producer", message(`${epoch}.${seq}`), {
        "producer-id": "p",
        "producer-epoch": String(epoch),
        "producer-seq": String(seq),
      });
    const seen = async (response: Response): Promise<unknown[]> => [
      ...(await outcomeOf(response)),
      response.headers.get("producer-epoch"),
      response.headers.get("producer-seq"),
      response.headers.get("producer-expected-seq"),
    ];
    expect(await seen(await send(0, 0))).toEqual([200, "0", "0", null]);
    expect(await seen(await send(0, 1))).toEqual([200, "0", "1", null]);
    const repeat = await send(0, 0);
    expect(repeat.headers.get("stream-next-offset")).toBe((await read("chat/room=producer")).at(-1)?.id);
    expect(await seen(repeat)).toEqual([204, "0", "1", null]);
    expect(await seen(await send(0, 3))).toEqual([409, "producer_gap", null, null, "2"]);
    expect(await seen(await send(1, 1))).toEqual([400, "malformed", null, null, null]);
    expect(await seen(await send(1, 0))).toEqual([200, "1", "0", null]);
    expect(await seen(await send(0, 2))).toEqual([403, "producer_fenced", "1", null, null]);
    expect((await read("chat/room=producer")).map(({ data }) => data)).toEqual(["0.0", "0.1", "1.0"]);
  });

  it("with a `Stream-Seq` must go on", async () => {
    expect((await post("chat/room=seq", message(1), { "stream-seq": "b" })).status).toBe(204);
    expect(await outcomeOf(await post("chat/room=seq", message(2), { "stream-seq": "b" }))).toEqual([
      409,
      "seq_conflict",
    ]);
    expect((await post("chat/room=seq", message(3), { "stream-seq": "c" })).status).toBe(204);
  });
});

describe("a PUT of a channel's stream", () => {
  it.each<[string, RequestInit]>([
    ["JSON", { headers: { "content-type": "application/json; charset=utf-8" } }],
    ["no type in particular", {}],
  ])("of %s is 200: it is there", async (_, init) => {
    const response = await fetch(server.streamUrl("chat/room=put"), { method: "PUT", ...init });
    expect([response.status, response.headers.get("stream-next-offset")]).toEqual([200, ORIGIN]);
    expect(response.headers.get("content-type")).toBe("application/json");
  });

  it.each<[string, RequestInit, string]>([
    ["another type", { headers: { "content-type": "text/plain" } }, "`Content-Type`"],
    ["a TTL", { headers: { "stream-ttl": "60" } }, "`Stream-TTL`"],
    ["an expiry", { headers: { "stream-expires-at": "2099-01-01T00:00:00Z" } }, "`Stream-Expires-At`"],
    ["a closed one", { headers: { "stream-closed": "true" } }, "`Stream-Closed`"],
    ["a body", { headers: { "content-type": "application/json" }, body: "[1]" }, "body"],
  ])("that asks for %s is 409, and says what differs", async (_, init, named) => {
    const response = await fetch(server.streamUrl("chat/room=put"), { method: "PUT", ...init });
    const problem = (await response.json()) as { code: string; detail: string };
    expect([response.status, problem.code]).toEqual([409, "stream_exists"]);
    expect(problem.detail).toContain(named);
  });

  it("as a fork, a fork of it, and a DELETE are 405 with `Allow`", async () => {
    const raw = { "stream-forked-from": "/ds/raw" };
    const asked: [string, RequestInit, string][] = [
      ["chat/room=put", { method: "PUT", headers: raw }, "GET, HEAD, PUT, POST"],
      ["chat/room=put", { method: "DELETE" }, "GET, HEAD, PUT, POST"],
      ["chat/room=put", { method: "PATCH" }, "GET, HEAD, PUT, POST"],
      ["raw/1", { method: "PATCH" }, "GET, HEAD, PUT, POST, DELETE"],
    ];
    for (const [name, init, allow] of asked) {
      const response = await fetch(server.streamUrl(name), init);
      expect(response.headers.get("allow")).toBe(allow);
      expect(await outcomeOf(response)).toEqual([405, "method_not_allowed"]);
    }
    const headers = { "stream-forked-from": "/ds/chat/room=put" };
    const fork = await server.asApp("raw/2", { method: "PUT", headers });
    expect(await outcomeOf(fork)).toEqual([405, "method_not_allowed"]);
  });
});

describe("the app's word about a channel's stream", () => {
  const guarded = { transport: "ws", auth: { headerName: "x-key" }, onPublish: true } as const;
  let app: TestApp;
  let asked: StreamServer;
  let answer: Answer = () => ({ ok: true });
  beforeAll(async () => {
    app = await startTestApp((call, response) => answer(call, response));
    asked = await startStreamServer({ channels: { guarded }, app: { url: app.url } });
  });
  afterAll(async () => {
    await asked[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  it("is asked for over `ds`, and its subject is the message's `from`", async () => {
    answer = ({ path }) => (path.endsWith("authorize") ? { ok: true, subject: "u1" } : { ok: true });
    const headers = { "x-key": "k" };
    expect((await fetch(asked.streamUrl("guarded"), jsonBody(message(1), headers))).status).toBe(204);
    const stored = (await (await fetch(asked.streamUrl("guarded"), { headers })).json()) as Stored[];
    expect(stored).toMatchObject([{ data: 1, from: "u1" }]);
    expect(
      app.calls.map(({ path, body }) => [path, body["operation"], body["transport"], body["subject"]]),
    ).toEqual([
      ["/channels/authorize", "publish", "ds", undefined],
      ["/channels/on-publish", undefined, "ds", "u1"],
      ["/channels/authorize", "subscribe", "ds", undefined],
    ]);
  });

  it("about a message decides what is stored", async () => {
    answer = ({ path }) =>
      path.endsWith("authorize")
        ? { ok: true }
        : { ok: true, message: { type: "changed", data: "by the app" } };
    const headers = { "x-key": "k" };
    await fetch(asked.streamUrl("guarded"), jsonBody(message(2), headers));
    answer = ({ path }) => (path.endsWith("authorize") ? { ok: true } : { ok: false, reason: "no" });
    const refused = await fetch(asked.streamUrl("guarded"), jsonBody(message(3), headers));
    expect(await outcomeOf(refused)).toEqual([403, "forbidden"]);
    const stored = (await (await fetch(asked.streamUrl("guarded"), { headers })).json()) as Stored[];
    expect(stored.map(({ data }) => data)).toEqual([1, "by the app"]);
  });

  it.each<[string, Answer, number, string]>([
    ["no", () => ({ ok: false }), 403, "forbidden"],
    ["404", () => ({ ok: false, status: 404 }), 404, "channel_unknown"],
    ["subscribing only", () => ({ ok: true, operations: ["subscribe"] }), 403, "forbidden"],
    ["garbage", () => [], 503, "app_unavailable"],
  ])("%s is no", async (_, given, status, code) => {
    answer = given;
    const headers = { "x-key": "k" };
    const response = await fetch(asked.streamUrl("guarded"), jsonBody(message(1), headers));
    expect(await outcomeOf(response)).toEqual([status, code]);
  });

  it("whoever shows nothing is not asked about", async () => {
    const before = app.calls.length;
    expect(await outcomeOf(await fetch(asked.streamUrl("guarded")))).toEqual([401, "unauthenticated"]);
    expect(app.calls.length).toBe(before);
  });

  it("bounds how far back its caller may read", async () => {
    answer = () => ({ ok: true, replayWindowMs: 0 });
    const response = await fetch(asked.streamUrl("guarded"), { headers: { "x-key": "k" } });
    expect(await response.text()).toBe("[]");
  });
});

describe("a channel's stream", () => {
  it("takes whom a JWT names for the publisher where the channel is public", async () => {
    const jwt = { key: "s", algorithms: ["HS256"] } as const;
    await using identified = await startStreamServer({ channels: { chat: PUBLIC_ROOMS }, jwt });
    const headers = {
      "x-jid": await signJwt({ subject: "u9", streams: [], expiresAt: Date.now() + 3_600_000 }, "s"),
    };
    await fetch(identified.streamUrl("chat"), jsonBody(message(1), headers));
    const stored = await (await fetch(identified.streamUrl("chat"), { headers })).json();
    expect(stored).toMatchObject([{ from: "u9" }]);
  });

  it("is published to at the rate of the connection, whichever the way in", async () => {
    await using slow = await startStreamServer({
      channels: { chat: PUBLIC_ROOMS },
      limits: { maxPublishesPerSec: 0.001, publishBurst: 1 },
    });
    const connection = new Client(slow.url);
    const publish = (path: string): ReturnType<Client["request"]> =>
      connection.request({ path, ...jsonBody(message(1)), method: "POST" });
    const stored = await publish("/channels/chat/messages");
    await stored.body.dump();
    const refused = await publish("/ds/chat");
    expect([stored.statusCode, refused.statusCode]).toEqual([200, 429]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(await refused.body.json()).toMatchObject({ code: "rate_limited" });
    expect((await slow.asApp("chat", jsonBody(message(1)))).status).toBe(204);
    await connection.destroy();
  });

  it("hides the raw streams under the channel's name, which start-up warns of", async () => {
    const first = await startStreamServer({ streams: { publicWrites: true } });
    await first.asApp("chat/old", { method: "PUT" });
    await first.asApp("chatter/x", { method: "PUT" });
    await first.running.close();
    const channels = { chat: PUBLIC_ROOMS, chatt: PUBLIC_ROOMS };
    await using second = await startStreamServer({
      channels,
      root: first.root,
      watch: true,
      streams: CLOSED,
    });
    const warned = (): unknown[] =>
      second.logged.filter(({ event }) => event === "streams-hidden").map(({ fields }) => fields);
    expect(warned()).toEqual([{ channel: "chat", stream: "chat/old" }]);
    expect(await outcomeOf(await second.asApp("chat/old"))).toEqual([404, "stream_unknown"]);
    expect((await second.asApp("chatter/x")).status).toBe(200);
    second.define("chatter", PUBLIC_ROOMS);
    await expect
      .poll(warned, { timeout: 20_000 })
      .toContainEqual({ channel: "chatter", stream: "chatter/x" });
    second.undefine("chat");
    await expect.poll(async () => (await second.asApp("chat/old")).status, { timeout: 20_000 }).toBe(200);
  });
});
