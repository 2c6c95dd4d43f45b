import { request as httpRequest } from "node:http";
import type { ClientRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { openPublisher, post } from "../support/post.ts";
import { dial, readToEnd } from "../support/raw-connection.ts";
import { PLACES, refusalOf } from "../support/refusal-of.ts";
import type { Place } from "../support/refusal-of.ts";
import { makeProject, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import { expectNobodyHeldUp } from "../support/stalled-subscribers.ts";
import type { Limits } from "#src/shared/limits.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import type { Subscriber } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "m", data: 1 };
const MIB = 1_024 * 1_024;
const OVER_LIMIT = { SSE: 429, WebSocket: 4429, HTTP: 429 };
const BAD_PARAMS = { SSE: 400, WebSocket: 4422, HTTP: 400 };

/** A server with one public channel `chat`, which clients may publish to. */
function startLimited(limits: Partial<Limits>): Promise<TestServer> {
  return startTestServer({ channels: { chat: PUBLIC_ROOMS }, limits });
}

interface Hit {
  readonly limit: keyof Limits;
  readonly value: number;
  readonly code: string;
  readonly places: readonly Place[];
  readonly hit: (guarded: GuardedServer, place: Place) => Promise<unknown>;
}

const READS: readonly Place[] = ["SSE", "WebSocket"];

/** What is refused for each limit that refuses, and how to meet it. */
const HITS: readonly Hit[] = [
  {
    limit: "maxParamsBytes",
    value: 10,
    code: "params_invalid",
    places: PLACES,
    hit: ({ server }, place) => refusalOf(place, server, { channel: "chat?room=more-than-ten" }),
  },
  { limit: "maxConnections", value: 1, code: "rate_limited", places: READS, hit: comeTwice },
  { limit: "maxConnectionsPerAddress", value: 1, code: "rate_limited", places: READS, hit: comeTwice },
  {
    limit: "maxConnectionsPerSubject",
    value: 1,
    code: "rate_limited",
    places: READS,
    hit: async (guarded, place) => {
      const headers = bearer(guarded.tokenFor(() => ({ ok: true, subject: "u1" })));
      await openWebSocket(`${guarded.server.url}/channels/guarded`, { headers });
      await refusalOf(place, guarded.server, { channel: "guarded", headers });
    },
  },
  {
    limit: "maxMessageBytes",
    value: 10,
    code: "too_big",
    places: ["WebSocket", "HTTP"],
    hit: ({ server }, place) => publishTimes(server, place, { times: 1, data: "more than ten" }),
  },
  {
    limit: "maxPublishesPerSec",
    value: 1,
    code: "rate_limited",
    places: ["WebSocket", "HTTP"],
    hit: ({ server }, place) => publishTimes(server, place, { times: 10, data: 1 }),
  },
  {
    limit: "maxPublishBytes",
    value: 10,
    code: "too_big",
    places: ["HTTP"],
    hit: ({ server }) => post(server, "chat", { body: MESSAGE }),
  },
  {
    limit: "maxBodyBytesTotal",
    value: 10,
    code: "rate_limited",
    places: ["HTTP"],
    hit: ({ server }) => post(server, "chat", { body: MESSAGE }),
  },
  {
    limit: "maxBatchMessages",
    value: 1,
    code: "too_big",
    places: ["HTTP"],
    hit: ({ server }) => post(server, "chat", { body: [MESSAGE, MESSAGE] }),
  },
  {
    limit: "authFrameWaitMs",
    value: 100,
    code: "unauthenticated",
    places: ["WebSocket"],
    hit: ({ server }) => refusalOf("WebSocket", server, { channel: "guarded" }),
  },
  {
    limit: "maxHeaderBytes",
    value: 1_024,
    code: "head_too_big",
    places: PLACES,
    hit: ({ server }, place) => {
      const headers = { "x-big": "x".repeat(2_000) };
      return refusalOf(place, server, { channel: "chat", headers }).catch(() => {});
    },
  },
  {
    limit: "handshakeTimeoutMs",
    value: 100,
    code: "request_timeout",
    places: ["HTTP"],
    hit: async ({ server }) => {
      const socket = await dial(server);
      socket.write("POST /channels/chat/messages HTTP/1.1\r\n");
      await readToEnd(socket);
    },
  },
];

/** Comes to the public channel, and again. */
async function comeTwice({ server }: GuardedServer, place: Place): Promise<void> {
  await openWebSocket(`${server.url}/channels/chat`);
  await refusalOf(place, server, { channel: "chat" });
}

/** Publishes to the public channel on one connection, without waiting for anything but the answers of HTTP. */
async function publishTimes(
  server: TestServer,
  place: Place,
  { times, data }: { readonly times: number; readonly data: unknown },
): Promise<void> {
  const { send } = await openWebSocket(`${server.url}/channels/chat`);
  const publisher = openPublisher(server, "chat");
  for (let count = 0; count < times; count += 1) {
    if (place === "WebSocket") send({ type: "m", data });
    else await publisher.post({ type: "m", data });
  }
  publisher.close();
}

describe.each(PLACES)("over %s", (place: Place) => {
  it("maxParamsBytes: all params together may have so many bytes, and no more", async () => {
    await using server = await startLimited({ maxParamsBytes: 100 });
    const refusal = await refusalOf(place, server, { channel: `chat?room=${"r".repeat(100)}` });
    expect(refusal).toMatchObject({ number: BAD_PARAMS[place], code: "params_invalid" });
    expect(String(refusal.fields["detail"] ?? refusal.fields["message"])).toContain("limits.maxParamsBytes");
    await expect(refusalOf(place, server, { channel: `chat?room=${"r".repeat(90)}` })).rejects.toThrow(
      "expected a refusal",
    );
  });

  it("maxAuthorizeCalls: so many calls are under way at once, the others wait their turn", async () => {
    let underWay = 0;
    let most = 0;
    await using guarded = await startGuardedServer({ limits: { maxAuthorizeCalls: 2 } });
    const tokens = Array.from({ length: 8 }, (_, index) =>
      guarded.tokenFor(async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await sleep(50);
        underWay -= 1;
        return { ok: true, subject: `u${index}` };
      }),
    );
    const come = async (token: string): Promise<void> => {
      const headers = bearer(token);
      if (place === "HTTP") {
        expect(await post(guarded.server, "guarded", { body: MESSAGE, headers })).toMatchObject({
          status: 200,
        });
        return;
      }
      const { connect } = place === "SSE" ? sseClient : webSocketClient;
      const { close } = await connect(`${guarded.server.url}/channels/guarded`, { headers });
      close();
    };
    await Promise.all(tokens.map(come));
    expect(most).toBe(2);
    expect(hitsIn(guarded.server)).toEqual(["maxAuthorizeCalls"]);
  });

  it("maxHeaderBytes: a head of more is 431, a handshake's too", async () => {
    await using server = await startLimited({ maxHeaderBytes: 4_096 });
    const headers = { "x-big": "x".repeat(4_096) };
    if (place === "WebSocket") {
      // It is no well-formed handshake that could be completed: it was never read to its end.
      await expect(openWebSocket(`${server.url}/channels/chat`, { headers })).rejects.toThrow("431");
    } else {
      const refusal = await refusalOf(place, server, { channel: "chat", headers });
      expect(refusal).toMatchObject({ number: 431, code: "head_too_big" });
      expect(refusal.fields["detail"]).toContain("limits.maxHeaderBytes");
    }
  });

  it.each(HITS.filter(({ places }) => places.includes(place)))(
    "a limit that was hit is in the log: $limit, with code, channel and address",
    async ({ limit, value, code, hit }) => {
      await using guarded = await startGuardedServer({
        channels: { chat: PUBLIC_ROOMS, guarded: { transport: "ws", auth: { headerName: "authorization" } } },
        limits: { [limit]: value, ...(limit === "maxPublishesPerSec" ? { publishBurst: 1 } : {}) },
      });
      await hit(guarded, place);
      const entry = (): LogEntry | undefined =>
        guarded.server.logged.find(({ event, fields }) => event === "refused" && fields?.["limit"] === limit);
      await expect.poll(entry, PATIENT).toMatchObject({
        level: "warn",
        fields: { code, limit, address: "127.0.0.1" },
      });
      expect(entry()?.message).toContain(`limits.${limit}`);
    },
  );

  it("limits do not bind the internal listener: the app and the operator have none", async () => {
    await using server = await startLimited({
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      maxConnectionsPerSubject: 1,
      publishBurst: 1,
      maxPublishesPerSec: 1,
    });
    const headers = bearer(server.token);
    if (place === "HTTP") {
      for (let index = 0; index < 20; index += 1) await server.publish("chat", MESSAGE);
      return;
    }
    const { connect } = place === "SSE" ? sseClient : webSocketClient;
    const url = `${server.internalUrl}/channels/chat`;
    const open = await Promise.all(Array.from({ length: 10 }, () => connect(url, { headers })));
    await server.publish("chat", MESSAGE);
    for (const { log, close } of open) {
      expect(await log.dataOf(1)).toEqual([1]);
      close();
    }
  });

  it("limits do not bind the internal listener: nor do its connections take a client's place", async () => {
    await using server = await startLimited({ maxConnections: 1, maxConnectionsPerAddress: 1 });
    const internal = `${server.internalUrl}/channels/chat`;
    const headers = bearer(server.token);
    const tails = await Promise.all(
      [sseClient, webSocketClient].map((c) => c.connect(internal, { headers })),
    );
    const client = await (place === "SSE" ? sseClient : webSocketClient).connect(
      `${server.url}/channels/chat`,
    );
    expect(await post(server, "chat", { body: MESSAGE })).toMatchObject({ status: 200 });
    for (const { close } of [...tails, client]) close();
  });
});

/** The limits that made somebody wait, as the log tells of them. */
function hitsIn({ logged }: TestServer): unknown[] {
  return logged.filter(({ event }) => event === "limit-hit").map(({ fields }) => fields?.["limit"]);
}

describe.each([sseClient, webSocketClient])("over $name", ({ name, connect }) => {
  /** How many of `count` connections are granted at once. They are closed again. */
  async function connects(url: string, count: number): Promise<number> {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, () => connect(url)));
    const granted = outcomes.filter((outcome) => outcome.status === "fulfilled");
    for (const { value } of granted) value.close();
    return granted.length;
  }

  /** What one more than the limit gets; and that there is room again when one has left. */
  async function expectOneTooMany(url: string, open: readonly Subscriber[]): Promise<void> {
    const refused = connect(url);
    await expect(refused).rejects.toMatchObject({ number: OVER_LIMIT[name], code: "rate_limited" });
    open[0]?.close();
    await expect.poll(() => connects(url, 1), PATIENT).toBe(1);
    for (const { close } of open) close();
  }

  it("maxConnections: so many in all, whoever they are and however they read", async () => {
    await using guarded = await startGuardedServer({
      channels: { guarded: { transport: "ws", auth: { headerName: "authorization" } }, chat: PUBLIC_ROOMS },
      limits: { maxConnections: 4 },
    });
    const { url } = guarded.server;
    const tokens = ["u1", "u2"].map((subject) => guarded.tokenFor(() => ({ ok: true, subject })));
    const open = await Promise.all([
      ...tokens.map((token) => connect(`${url}/channels/guarded`, { headers: bearer(token) })),
      sseClient.connect(`${url}/channels/chat?room=a`),
      webSocketClient.connect(`${url}/channels/chat?room=b`),
    ]);
    await expectOneTooMany(`${url}/channels/chat`, open);
  });

  it("maxConnections: many that come at once are not more", async () => {
    await using server = await startLimited({ maxConnections: 5 });
    expect(await connects(`${server.url}/channels/chat`, 20)).toBe(5);
  });

  it("maxConnectionsPerSubject: so many of one, and no fewer of another", async () => {
    await using guarded = await startGuardedServer({ limits: { maxConnectionsPerSubject: 2 } });
    const token = (subject: string): string => guarded.tokenFor(() => ({ ok: true, subject }));
    const url = `${guarded.server.url}/channels/guarded`;
    // Two tokens of one subject are one subject.
    const open = await Promise.all(
      [token("u1"), token("u1"), token("u2")].map((each) => connect(url, { headers: bearer(each) })),
    );
    await expectOneTooMany(`${url}?token=${token("u1")}`, open);
  });

  it("maxConnectionsPerAddress: so many without a subject, from one address", async () => {
    await using guarded = await startGuardedServer({
      channels: { guarded: { transport: "ws", auth: { headerName: "authorization" } }, chat: PUBLIC_ROOMS },
      limits: { maxConnectionsPerAddress: 2 },
    });
    const url = `${guarded.server.url}/channels/chat`;
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const open = await Promise.all([connect(url), connect(`${url}?room=other`)]);
    const signedIn = await connect(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) });
    expect(await statusFrom("127.0.0.2", url)).toBe(200);
    await expectOneTooMany(url, open);
    signedIn.close();
  });

  it.each([1, 20_000, MIB])(
    "maxUnsentBytes: %i of them, however few beside the socket's own, and a slow reader misses nothing",
    async (maxUnsentBytes) => {
      await using server = await startLimited({ maxUnsentBytes });
      const { log, pause, resume, close } = await connect(
        `${server.url}/channels/chat?last_message_id=start`,
      );
      pause();
      const batch = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(50_000) }));
      for (let index = 0; index < 20; index += 1) await server.publish("chat", batch);
      resume();
      await log.waitFor(20 * batch.length);
      close();
      expect(hitsIn(server)).toEqual(["maxUnsentBytes"]);
    },
  );

  it("maxUnsentBytesTotal: holds the slow back together, where each alone may have more", async () => {
    const root = makeProject();
    const limits = { maxUnsentBytes: 64 * MIB, maxUnsentBytesTotal: 4 * MIB };
    await using server = await startServerProcess(root, { chat: PUBLIC_ROOMS }, { limits });
    await expectNobodyHeldUp(server, (path) => connect(server.url + path));
    rmSync(root, { recursive: true, force: true });
  });
});

describe("over SSE", () => {
  it("maxHeaderBytes: over HTTP/2 the stream is reset, and the others of the connection go on", async () => {
    await using certificates = await makeTestCertificates();
    await using server = await startTestServer({
      tls: certificates.tls,
      http2: true,
      channels: { chat: PUBLIC_ROOMS },
      limits: { maxHeaderBytes: 4_096 },
    });
    const session = connectHttp2(server.url, { ca: certificates.caPem });
    const other = session.request({ ":path": "/channels/chat" });
    await once(other, "response");
    const big = session.request({ ":path": "/channels/chat", "x-big": "x".repeat(4_096) });
    const [error] = (await once(big, "error")) as [Error];
    expect(error.message).toContain("NGHTTP2_ENHANCE_YOUR_CALM");
    await server.publish("chat", { type: "m", data: "goes on" });
    let text = "";
    for await (const chunk of other) if ((text += String(chunk)).includes("goes on")) break;
    session.destroy();
  });
});

describe("over WebSocket", () => {
  it("maxMessageBytes: closes with 1009, nothing stored; one of just the limit is taken", async () => {
    await using server = await startLimited({ maxMessageBytes: 1_000 });
    const { send, control, log } = await openWebSocket(`${server.url}/channels/chat`);
    send({ type: "m", data: "x".repeat(998), ref: "just" });
    expect(await control({ ref: "just" })).toMatchObject({ control: "ack" });
    send({ type: "m", data: "x".repeat(999) });
    expect(await log.ended).toMatchObject({ closeCode: 1009 });
    expect(log.received).toHaveLength(1);
  });

  it("maxPublishesPerSec and publishBurst: past the burst the error says when the next may come, and it may", async () => {
    await using server = await startLimited({ publishBurst: 5, maxPublishesPerSec: 1 });
    const url = `${server.url}/channels/chat`;
    const [{ send, control, close }, other] = await Promise.all([openWebSocket(url), openWebSocket(url)]);
    for (let ref = 0; ref < 10; ref += 1) send({ ...MESSAGE, ref });
    const error = await control({ control: "error" });
    expect(error).toMatchObject({ code: "rate_limited", ref: 5 });
    expect(error["message"]).toContain("limits.maxPublishesPerSec");
    const afterMs = Number(error["afterMs"]);
    expect(afterMs).toBeGreaterThan(0);
    expect(afterMs).toBeLessThanOrEqual(1_000);
    await sleep(afterMs + 100);
    send({ ...MESSAGE, ref: "later" });
    expect(await control({ ref: "later" })).toMatchObject({ control: "ack" });
    other.send({ ...MESSAGE, ref: "another connection" });
    expect(await other.control({ ref: "another connection" })).toMatchObject({ control: "ack" });
    close();
    other.close();
  });

  it("authFrameWaitMs: who shows nothing and says nothing for so long is closed with 4401", async () => {
    await using guarded = await startGuardedServer({ limits: { authFrameWaitMs: 300 } });
    const startedAt = performance.now();
    await expect(openWebSocket(`${guarded.server.url}/channels/guarded`)).rejects.toMatchObject({
      number: 4401,
      code: "unauthenticated",
    });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(guarded.app.calls).toEqual([]);
  });

  it("authFrameWaitMs: is over for whoever has sent the frame, however long the app takes", async () => {
    await using guarded = await startGuardedServer({ limits: { authFrameWaitMs: 300 } });
    const token = guarded.tokenFor(async () => {
      await sleep(600);
      return { ok: true };
    });
    const firstFrame = { control: "auth", token };
    const { close } = await openWebSocket(`${guarded.server.url}/channels/guarded`, { firstFrame });
    close();
  });
});

describe("over HTTP", () => {
  it("maxMessageBytes: a message of more is 413, one of just the limit is taken", async () => {
    await using server = await startLimited({ maxMessageBytes: 1_000 });
    const refusal = await refusalOf("HTTP", server, {
      channel: "chat",
      body: [MESSAGE, { type: "m", data: "x".repeat(999) }],
    });
    expect(refusal).toMatchObject({ number: 413, code: "too_big" });
    expect(refusal.fields["detail"]).toContain("limits.maxMessageBytes");
    const just = { type: "m", data: "x".repeat(998) };
    expect(await post(server, "chat", { body: just })).toMatchObject({ status: 200 });
  });

  it("maxPublishBytes: a body of more is 413, announced or not", async () => {
    await using server = await startLimited({ maxPublishBytes: 10_000 });
    const body = { ...MESSAGE, padding: "x".repeat(10_000) };
    const refusal = await refusalOf("HTTP", server, { channel: "chat", body });
    expect(refusal).toMatchObject({ number: 413, code: "too_big" });
    expect(refusal.fields["detail"]).toContain("10000 bytes");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { "content-type": "application/json", "transfer-encoding": "chunked" };
      const request = httpRequest(server.url + toMessagesPath("chat"), { method: "POST", headers });
      request.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
      request.write("x".repeat(6_000));
      request.end("x".repeat(6_000));
    });
    expect(status).toBe(413);
  });

  it("maxBodyBytesTotal: bodies that are under way are 429 with Retry-After past it, and give it back when they are over", async () => {
    await using server = await startLimited({ maxBodyBytesTotal: 10_000 });
    const body = { type: "m", data: "x".repeat(4_000) };
    const headers = { "content-type": "application/json", "content-length": "8000" };
    const options = { method: "POST", headers, agent: false };
    const begin = (): ClientRequest => {
      const request = httpRequest(server.url + toMessagesPath("chat"), options).on("error", () => {});
      request.write("x".repeat(7_000));
      return request;
    };
    // Which of the two comes first is not ours to say: until it is the one that never ends.
    const [unfinished, refused] = await vi.waitFor(async () => {
      const begun = begin();
      const answer = await post(server, "chat", { body });
      if (answer.status !== 429) begun.destroy();
      expect(answer.status).toBe(429);
      return [begun, answer] as const;
    }, PATIENT);
    expect(refused).toMatchObject({ fields: { code: "rate_limited" }, headers: { "retry-after": "1" } });
    expect(refused.fields["detail"]).toContain("limits.maxBodyBytesTotal");
    // The app is not held to it.
    await server.publish("chat", body);
    unfinished.destroy();
    for (let count = 0; count < 5; count += 1) {
      await vi.waitFor(async () => {
        expect(await post(server, "chat", { body })).toMatchObject({ status: 200 });
      }, PATIENT);
    }
  });

  it("maxBatchMessages: a batch of more is 413, one of just the limit is taken", async () => {
    await using server = await startLimited({ maxBatchMessages: 20 });
    const batch = (length: number): unknown[] => Array.from({ length }, () => MESSAGE);
    const refusal = await refusalOf("HTTP", server, { channel: "chat", body: batch(21) });
    expect(refusal).toMatchObject({ number: 413, code: "too_big" });
    expect(refusal.fields["detail"]).toContain("maxBatchMessages");
    expect(await post(server, "chat", { body: batch(20) })).toMatchObject({ status: 200 });
  });

  it("maxPublishesPerSec and publishBurst: past the burst is 429 with Retry-After, and later is taken", async () => {
    await using server = await startLimited({ publishBurst: 3, maxPublishesPerSec: 1 });
    const [one, another] = [openPublisher(server, "chat"), openPublisher(server, "chat")];
    for (let index = 0; index < 3; index += 1) expect(await one.post(MESSAGE)).toMatchObject({ status: 200 });
    // A machine that takes a second for these has let a token drip in.
    let refused = await one.post(MESSAGE);
    while (refused.status === 200) refused = await one.post(MESSAGE);
    expect(refused).toMatchObject({
      status: 429,
      fields: { code: "rate_limited" },
      headers: { "retry-after": "1" },
    });
    expect(await another.post(MESSAGE)).toMatchObject({ status: 200 });
    await sleep(1_100);
    expect(await one.post(MESSAGE)).toMatchObject({ status: 200 });
    one.close();
    another.close();
  });

  it("maxPublishesPerSec and publishBurst: a batch counts as many as it has, and is paid for before the next", async () => {
    await using server = await startLimited({ publishBurst: 3, maxPublishesPerSec: 1 });
    const one = openPublisher(server, "chat");
    const batch = Array.from({ length: 1_000 }, () => MESSAGE);
    expect(await one.post(batch)).toMatchObject({ status: 200 });
    const refused = await one.post(MESSAGE);
    expect(refused).toMatchObject({ status: 429, fields: { code: "rate_limited" } });
    // 998 at most, less what a slow machine has let drip in.
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(900);
    expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(998);
    one.close();
  });

  it("handshakeTimeoutMs: a request whose head takes longer is 408", async () => {
    await using server = await startLimited({ handshakeTimeoutMs: 500 });
    const socket = await dial(server);
    socket.write("GET /channels/chat HTTP/1.1\r\nhost: a\r\nx-slow: ");
    const answer = await readToEnd(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
    expect(answer).toContain("limits.handshakeTimeoutMs");
  });

  it("handshakeTimeoutMs: who says nothing for so long is cut off, over TLS too", async () => {
    await using certificates = await makeTestCertificates();
    const limits = { handshakeTimeoutMs: 500 };
    await using plain = await startTestServer({ limits });
    await using secure = await startTestServer({ limits, tls: certificates.tls, http2: true });
    for (const server of [plain, secure]) await readToEnd(await dial(server));
  });
});

/** The status of a GET from another of this machine's addresses. */
function statusFrom(localAddress: string, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { localAddress, agent: false });
    request.on("response", (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    request.on("error", reject).end();
  });
}
