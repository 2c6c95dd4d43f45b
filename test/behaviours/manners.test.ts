import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { makeTestCertificates } from "../support/certificates.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { encodeClientFrame, encodeClose, OPCODE, openRawWebSocket } from "../support/raw-websocket.ts";
import type { ClientFrameParts } from "../support/raw-websocket.ts";
import { jsonBody, makeProject, PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import { expectNobodyHeldUp } from "../support/stalled-subscribers.ts";
import { openSse, readEvents, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const MESSAGE = { type: "m", data: 1 };
const MIB = 1_024 * 1_024;

let server: TestServer;
let rooms = 0;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      read: { public: true },
      quick: { transport: "ws", public: true, keepaliveIntervalMs: 2_000 },
    },
    limits: { maxMessageBytes: 40_000, authFrameWaitMs: 500 },
    watch: true,
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A room that no other test uses. */
function newRoom(): string {
  rooms += 1;
  return `chat?room=${rooms}`;
}

/** Joins a room of its own. */
function join(): Promise<WebSocketSubscriber> {
  return openWebSocket(`${server.url}/channels/${newRoom()}`);
}

/** Saves a definition and waits until it is live. */
async function save(name: string, definition: Readonly<Record<string, unknown>>): Promise<void> {
  server.define(name, definition);
  await expect.poll(() => server.running.registry.get(name)?.definition, PATIENT).toMatchObject(definition);
}

describe.each([sseClient, webSocketClient])("over $name", ({ name, connect }) => {
  it("reconnect with afterMs spread at a shutdown: each is told another time, and resumes with its id after the restart", async () => {
    const root = makeProject();
    const before = await startTestServer({ root, channels: { chat: PUBLIC_ROOMS } });
    const subscribers = await Promise.all(
      Array.from({ length: 50 }, () => connect(`${before.url}/channels/chat`)),
    );
    const [id] = await before.publish("chat", { type: "m", data: "before" });
    await Promise.all(subscribers.map(({ log }) => log.waitFor(1)));
    const [endings] = await Promise.all([
      Promise.all(subscribers.map(({ log }) => log.ended)),
      before.running.close(),
    ]);
    const delays = endings.map(({ afterMs }) => afterMs ?? Number.NaN);
    for (const { title, closeCode } of endings) {
      expect(title).toBe("server is restarting");
      expect(closeCode).toBe({ SSE: undefined, WebSocket: 1012 }[name]);
    }
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(5_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(1_000);
    expect(new Set(delays).size).toBeGreaterThan(25);

    await using after = await startTestServer({ root });
    await after.publish("chat", { type: "m", data: "meanwhile" });
    const back = await Promise.all(
      subscribers.map(() => connect(`${after.url}/channels/chat?last_message_id=${id}`)),
    );
    await after.publish("chat", { type: "m", data: "live" });
    for (const { log, close } of back) {
      expect(await log.dataOf(2)).toEqual(["meanwhile", "live"]);
      close();
    }
  });

  it("the same JSON over both: byte by byte, live and replayed", async () => {
    const room = newRoom();
    const url = `${server.url}/channels/${room}`;
    const texts = ["12345678901234567890", "1.0", '"é😀\\u0000"', '{ "a": [1,\n2] }'];
    const body = `[${texts.map((text) => `{"type":"same","data":${text}}`).join(",")}]`;
    const other = name === "SSE" ? webSocketClient : sseClient;
    const live = await Promise.all([connect(url), other.connect(url)]);
    await server.publish(room, body);
    const replayed = await Promise.all(
      [connect, other.connect].map((again) => again(`${url}&last_message_id=start`)),
    );
    const all = [...live, ...replayed];
    // A line break between tokens is none in JSON, and the standard lets an event stream keep it as a line feed only.
    const [first, ...others] = await Promise.all(all.map(({ log }) => log.waitFor(texts.length)));
    for (const each of others) expect(each).toEqual(first);
    for (const { close } of all) close();
  });

  it.each(["plain", "TLS"])(
    "a slow subscriber reads on from the log: it holds up nobody, takes no memory, and misses nothing, over %s",
    async (front) => {
      const root = makeProject();
      await using certificates = await makeTestCertificates();
      const options = front === "TLS" ? { tls: certificates.tls, http2: true } : {};
      await using own = await startServerProcess(root, { chat: PUBLIC_ROOMS }, options);
      await expectNobodyHeldUp(own, (path) => connect(own.url + path, { ca: certificates.caPem }));
      rmSync(root, { recursive: true, force: true });
    },
  );

  it("a changed params schema: sends the client back, and it finds its place", async () => {
    const channel = `params-${name.toLowerCase()}`;
    await save(channel, PUBLIC_ROOMS);
    const { log, startId } = await connect(`${server.url}/channels/${channel}`);
    const properties = { room: { type: "string" }, page: { type: "integer" } };
    await save(channel, { ...PUBLIC_ROOMS, paramsSchema: { type: "object", properties } });
    const { closeCode, afterMs } = await log.ended;
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 1012 }[name]);
    await server.publish(channel, MESSAGE);
    const back = await connect(`${server.url}/channels/${channel}?last_message_id=${startId}`);
    expect(await back.log.dataOf(1)).toEqual([1]);
    back.close();
  });

  it("a changed auth: sends the client back, and it is asked who it is", async () => {
    const channel = `auth-${name.toLowerCase()}`;
    const url = `${server.url}/channels/${channel}`;
    await save(channel, { transport: "ws", public: true });
    const { log } = await connect(url);
    server.define(channel, { transport: "ws", auth: { headerName: "x-key", cookieName: "session" } });
    const { closeCode, afterMs } = await log.ended;
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 1012 }[name]);
    await expect(connect(`${url}?token=`)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("a removed channel: ends its connections, and no others", async () => {
    const channel = `removed-${name.toLowerCase()}`;
    const url = `${server.url}/channels/${channel}`;
    await save(channel, { transport: "ws", public: true });
    const room = newRoom();
    const kept = await connect(`${server.url}/channels/${room}`);
    const { log } = await connect(url);
    server.undefine(channel);
    expect(await log.ended).toMatchObject({
      title: "no such channel",
      ...(name === "WebSocket" ? { closeCode: 4404 } : {}),
    });
    await expect(connect(url)).rejects.toMatchObject({ code: "channel_unknown" });
    await server.publish(room, MESSAGE);
    expect(await kept.log.dataOf(1)).toEqual([1]);
    kept.close();
  });
});

describe("over SSE", () => {
  it("head and first block: says what it is, and that nobody may store, change or buffer it", async () => {
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

  it("head and first block: the reconnect delay, another for each, and the position, before any message", async () => {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => openSse(`${server.url}/channels/read`)),
    );
    for (const { startId, text, close } of streams) {
      expect(text()).toMatch(new RegExp(`^retry: \\d+\\nid: ${startId}\\n\\n$`));
      close();
    }
    const delays = streams.map(({ text }) => /^retry: (\d+)/.exec(text())?.[1]);
    expect(new Set(delays).size).toBeGreaterThan(5);
  });

  it("head and first block: then a message as an id and its JSON, no event name, in lines that end with LF", async () => {
    const room = newRoom();
    const { log, text, close } = await openSse(`${server.url}/channels/${room}`);
    const [id] = await server.publish(room, { type: "message", data: { text: "hi" } });
    const [message] = await log.waitFor(1);
    expect(text().split("\n\n")[1]).toBe(`id: ${id}\ndata: ${message?.json}`);
    expect(text()).not.toContain("\r");
    close();
  });

  it("a line break in data forges nothing: it begins another data line", async () => {
    const room = newRoom();
    const { log, text, close } = await openSse(`${server.url}/channels/${room}`);
    const [id] = await server.publish(room, '{"type":"m","data":[1,\r\r\n"event: x"]}');
    await log.waitFor(1);
    const head = `{"id":"${id}","channel":"chat","type":"m","data":[1,`;
    expect(text()).toContain(`id: ${id}\ndata: ${head}\ndata: \ndata: "event: x"],"time":`);
    close();
  });

  it("a slow subscriber reads on from the log: also a stream of HTTP/2, beside those of the same connection", async () => {
    const root = makeProject();
    await using certificates = await makeTestCertificates();
    const options = { tls: certificates.tls, http2: true };
    await using own = await startServerProcess(root, { chat: PUBLIC_ROOMS }, options);
    const session = connectHttp2(own.url, { ca: certificates.caPem });
    await expectNobodyHeldUp(own, async (path) => {
      const stream = session.request({ ":path": path });
      await once(stream, "response");
      return readEvents(stream.setEncoding("utf8"), {});
    });
    session.destroy();
    rmSync(root, { recursive: true, force: true });
  });

  it.each([
    ["at a shutdown", "server is restarting", (own: TestServer) => own.running.close()],
    [
      "when the app disconnects it",
      "disconnected by the app",
      (own: TestServer) => own.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" })),
    ],
    ["when its channel is removed", "no such channel", async (own: TestServer) => own.undefine("other")],
  ])("the last block says when to come back and why: %s", async (_, reason, end) => {
    await using guarded = await startGuardedServer({
      channels: { other: { auth: { headerName: "authorization" } } },
      watch: true,
    });
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { log, text } = await openSse(`${guarded.server.url}/channels/other`, { headers: bearer(token) });
    await end(guarded.server);
    await log.ended;
    expect(text()).toMatch(new RegExp(`\\n\\nretry: \\d+\\n: ${reason}\\n\\n$`));
  });

  it("the last block says when to come back and why: when the grant is over", async () => {
    await using guarded = await startGuardedServer();
    const token = guarded.tokenFor(() => ({ ok: true, expiresAt: Date.now() + 1_500 }));
    const { log, text } = await openSse(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) });
    await log.ended;
    expect(text()).toMatch(/\n\nretry: \d+\n: connection lifetime is over\n\n$/);
  });
});

describe("over WebSocket", () => {
  it("ready comes first: with the place where reading starts, before what is replayed", async () => {
    const room = newRoom();
    const [id] = await server.publish(room, MESSAGE);
    const { controls, startId, log, close } = await openWebSocket(
      `${server.url}/channels/${room}&last_message_id=start`,
    );
    expect(controls).toEqual([{ control: "ready", id: startId }]);
    expect(startId < (id ?? "")).toBe(true);
    expect(await log.waitFor(1)).toMatchObject([{ id }]);
    close();
  });

  it("ready comes first: with the subject that the app gave", async () => {
    await using guarded = await startGuardedServer();
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { controls, startId, close } = await openWebSocket(`${guarded.server.url}/channels/guarded`, {
      headers: bearer(token),
    });
    expect(controls).toEqual([{ control: "ready", id: startId, subject: "u1" }]);
    close();
  });

  it("ack with ref and id: the id is the message's, which comes to its sender like to everyone else", async () => {
    const room = newRoom();
    const [sender, other] = await Promise.all([
      openWebSocket(`${server.url}/channels/${room}`),
      openSse(`${server.url}/channels/${room}`),
    ]);
    sender.send({ ...MESSAGE, ref: 7 });
    const ack = await sender.control({ control: "ack" });
    const [message] = await sender.log.waitFor(1);
    expect(ack).toEqual({ control: "ack", ref: 7, id: message?.id });
    expect(await other.log.waitFor(1)).toEqual([message]);
    sender.close();
    other.close();
  });

  it.each([1, -1.5, "a", 'quotes " and \\ and \n', "0".repeat(100)])(
    "ack with ref and id: the ref %j comes back as it was",
    async (ref) => {
      const { send, control, close } = await join();
      send({ ...MESSAGE, ref });
      expect(await control({ control: "ack" })).toMatchObject({ ref });
      close();
    },
  );

  it("ack with ref and id: a number that JavaScript cannot keep comes back too, refused or not", async () => {
    const { send, webSocket, control, close } = await join();
    const frames: string[] = [];
    webSocket.on("message", (data: Buffer) => void frames.push(data.toString("utf8")));
    send('{"type":"message","ref":12345678901234567890}');
    send('{"type":"message","data":1,"ref":12345678901234567890}');
    await control({ control: "ack" });
    const answers = frames.filter((frame) => frame.includes('"control":'));
    expect(answers).toHaveLength(2);
    for (const answer of answers) expect(answer).toContain('"ref":12345678901234567890,');
    close();
  });

  it("ack with ref and id: without a ref there is none", async () => {
    const { send, control, close } = await join();
    send(MESSAGE);
    expect(Object.keys(await control({ control: "ack" }))).toEqual(["control", "id"]);
    close();
  });

  it("fragmented frames: are one message, also with pings, a pong and empty ones between", async () => {
    const { webSocket, control, close } = await join();
    const pongs: string[] = [];
    webSocket.on("pong", (payload) => pongs.push(payload.toString()));
    webSocket.send('{"type":"message",', { fin: false });
    webSocket.ping("between");
    webSocket.send('"data":"é', { fin: false });
    webSocket.send("", { fin: false });
    webSocket.pong();
    webSocket.send('","ref":"r"}', { fin: true });
    expect(await control({ ref: "r" })).toMatchObject({ control: "ack" });
    expect(pongs).toEqual(["between"]);
    close();
  });

  it("fragmented frames: a character may be cut in two", async () => {
    const room = newRoom();
    const raw = await openRawWebSocket(server, `/channels/${room}`);
    const bytes = Buffer.from('{"type":"m","data":"😀"}');
    const cut = bytes.indexOf(0xf0) + 2;
    raw.socket.write(encodeClientFrame({ payload: bytes.subarray(0, cut), isFinal: false }));
    raw.socket.write(encodeClientFrame({ payload: bytes.subarray(cut), opcode: OPCODE.continuation }));
    await expect.poll(() => raw.frames().map(({ payload }) => String(payload)), PATIENT).toHaveLength(3);
    expect(String(raw.frames().map(({ payload }) => payload))).toContain('"data":"😀"');
    raw.socket.destroy();
  });

  it("fragmented frames: 10,000 tiny ones are one message, and more than 16,384 close the connection", async () => {
    const room = newRoom();
    const { log, close } = await openWebSocket(`${server.url}/channels/${room}`);
    const raw = await openRawWebSocket(server, `/channels/${room}`);
    const text = JSON.stringify({ type: "m", data: "x".repeat(9_970) });
    raw.socket.write(
      Buffer.concat(text.split("").map((payload, index) => fragment(payload, index, text.length))),
    );
    expect(await log.dataOf(1)).toEqual(["x".repeat(9_970)]);
    raw.socket.write(
      Buffer.concat(Array.from({ length: 16_385 }, (_, index) => fragment("x", index, Infinity))),
    );
    expect(await raw.closed).toBe(1008);
    close();
  });

  it("fragmented frames: are too big together with 1009", async () => {
    const { webSocket, log } = await join();
    for (let index = 0; index < 50; index += 1) webSocket.send("x".repeat(1_000), { fin: false });
    expect(await log.ended).toMatchObject({ closeCode: 1009 });
  });

  it("a binary frame: closes with 1003", async () => {
    const { webSocket, log } = await join();
    webSocket.send(Buffer.from(JSON.stringify(MESSAGE)), { binary: true });
    expect(await log.ended).toMatchObject({ closeCode: 1003 });
  });

  it.each([
    ["a message's data over the limit", 40_001],
    ["a whole frame over the limit", 100_000],
  ])("an oversize frame: closes with 1009, %s", async (_, length) => {
    const { send, log } = await join();
    send({ type: "message", data: "x".repeat(length) });
    expect(await log.ended).toMatchObject({ closeCode: 1009 });
    expect(log.received).toEqual([]);
  });

  it("an oversize frame: closes with 1009 as soon as it says its length, and is not waited for", async () => {
    const raw = await openRawWebSocket(server, `/channels/${newRoom()}`);
    raw.socket.write(encodeClientFrame({ claimedLength: 2 ** 40, payload: "{" }));
    expect(await raw.closed).toBe(1009);
  });

  it("an oversize frame: may have its longest type, key and data, and the first two in escapes", async () => {
    const { send, control, close } = await join();
    const [type, key] = [String.raw`\u0074`.repeat(256), String.raw`\u006b`.repeat(256)];
    send(`{"type":"${type}","key":"${key}","ref":"r","data":"${"x".repeat(39_998)}"}`);
    expect(await control({ ref: "r" })).toMatchObject({ control: "ack" });
    close();
  });

  it.each([
    ["no JSON", "hello", undefined],
    ["no object", "[1]", undefined],
    ["nothing", "", undefined],
    ["without a type", '{"data":1,"ref":"r"}', "r"],
    ["without data", '{"type":"message","ref":"r"}', "r"],
    ["with an empty type", '{"type":"","data":1,"ref":"r"}', "r"],
    ["with a type that is no text", '{"type":1,"data":1,"ref":"r"}', "r"],
    ["with an unknown control", '{"control":"ready","ref":"r"}', "r"],
    ["with a key that is no text", '{"type":"m","data":1,"key":1,"ref":"r"}', "r"],
    ["with a key that is too long", `{"type":"m","data":1,"key":"${"k".repeat(257)}","ref":"r"}`, "r"],
    ["with a ref that is no scalar", '{"type":1,"data":1,"ref":{"a":1}}', undefined],
  ])("a malformed frame: %s is answered with an error, and the connection goes on", async (_, frame, ref) => {
    const { send, control, close } = await join();
    send(frame);
    const error = await control({ control: "error" });
    expect(error["code"]).toBe("malformed");
    expect(error["ref"]).toBe(ref);
    send({ type: "message", data: 1, ref: "next" });
    expect(await control({ ref: "next" })).toMatchObject({ control: "ack" });
    close();
  });

  it("malformed frames on and on: close with 4400", async () => {
    const { send, log, controls } = await join();
    for (let index = 0; index < 100; index += 1) send("nonsense");
    expect(await log.ended).toMatchObject({ closeCode: 4400 });
    expect(controls.length).toBeLessThan(20);
  });

  it("malformed frames on and on: close with 4400 also when good ones that store nothing come between", async () => {
    const { send, log } = await join();
    for (let index = 0; index < 100; index += 1) {
      send("nonsense");
      send({ control: "pong" });
    }
    expect(await log.ended).toMatchObject({ closeCode: 4400 });
  });

  it("malformed frames on and on: are forgiven once a publish is stored", async () => {
    const { send, control, close } = await join();
    for (let ref = 0; ref < 4; ref += 1) {
      for (let index = 0; index < 5; index += 1) send("nonsense");
      send({ ...MESSAGE, ref });
      expect(await control({ ref })).toMatchObject({ control: "ack" });
    }
    close();
  });

  it("unknown fields: are ignored, in a publish and in a control frame", async () => {
    const { send, log, control, controls, close } = await join();
    send({ control: "pong", mood: "good" });
    send({ ...MESSAGE, ref: 1, mood: { good: [1] }, time: 0, id: "x", channel: "other" });
    await control({ control: "ack" });
    const [message] = await log.waitFor(1);
    expect(Object.keys(JSON.parse(message?.json ?? "") as object)).toEqual([
      "id",
      "channel",
      "type",
      "data",
      "time",
    ]);
    expect(controls.filter((frame) => frame.control === "error")).toEqual([]);
    close();
  });

  it.each<[string, ClientFrameParts | Buffer, number]>([
    ["is not masked", { payload: "{}", isMasked: false }, 1002],
    ["has a reserved bit", { payload: "{}", reserved: 0b100 }, 1002],
    ["has another reserved bit", { payload: "{}", reserved: 0b001 }, 1002],
    ["has a reserved opcode", { payload: "{}", opcode: 0x3 }, 1002],
    ["has a reserved control opcode", { opcode: 0xb }, 1002],
    ["goes on with nothing", { payload: "{}", opcode: OPCODE.continuation }, 1002],
    ["is a ping in fragments", { opcode: OPCODE.ping, isFinal: false }, 1002],
    ["is a ping of more than 125 bytes", { opcode: OPCODE.ping, payload: "x".repeat(126) }, 1002],
    ["closes with half a code", { opcode: OPCODE.close, payload: "x" }, 1002],
    ["closes with a code that must not be sent", encodeClose(1005), 1002],
    ["closes with a code that there is not", encodeClose(999), 1002],
    ["closes with a code of the future", encodeClose(2_999), 1002],
    [
      "closes with a reason that is not UTF-8",
      encodeClientFrame({ opcode: OPCODE.close, payload: Buffer.from([3, 232, 255]) }),
      1007,
    ],
    ["is not UTF-8", { payload: Buffer.from([0x22, 0xff, 0x22]) }, 1007],
    ["is half of a character", { payload: Buffer.from([0x22, 0xf0, 0x9f, 0x22]) }, 1007],
  ])("a frame that breaks the protocol: one that %s closes the connection", async (_, frame, closeCode) => {
    const raw = await openRawWebSocket(server, `/channels/${newRoom()}`);
    raw.socket.write(Buffer.isBuffer(frame) ? frame : encodeClientFrame(frame));
    await expect.poll(() => raw.frames().some(({ opcode }) => opcode === OPCODE.close), PATIENT).toBe(true);
    raw.socket.write(encodeClose(closeCode));
    expect(await raw.closed).toBe(closeCode);
  });

  it("a peer that closes: gets its code back, and nothing after it", async () => {
    const room = newRoom();
    const raw = await openRawWebSocket(server, `/channels/${room}`);
    raw.socket.write(encodeClose(1000, "bye"));
    await server.publish(room, MESSAGE);
    expect(await raw.closed).toBe(1000);
    expect(raw.frames().map(({ opcode }) => opcode)).toEqual([OPCODE.text, OPCODE.close]);
  });

  it("a peer that never answers the close: is cut off after some seconds", async () => {
    const raw = await openRawWebSocket(server, `/channels/${newRoom()}`);
    raw.socket.write(encodeClientFrame({ opcode: OPCODE.binary }));
    expect(await raw.closed).toBe(1003);
  });

  it("pings and a silent peer: who does not answer for two intervals is cut off", async () => {
    const { log } = await openWebSocket(`${server.url}/channels/quick`, { client: { autoPong: false } });
    expect(await log.ended).toMatchObject({ closeCode: 1006 });
  });

  it("pings and a silent peer: a half-open socket is cut off", async () => {
    const raw = await openRawWebSocket(server, "/channels/quick");
    raw.socket.pause(); // and neither read nor written again
    await expect
      .poll(
        () =>
          server.logged.some(({ event, fields }) => event === "disconnect" && fields?.["path"] === "quick"),
        PATIENT,
      )
      .toBe(true);
    raw.socket.destroy();
  });

  it("pings and a silent peer: who only listens stays, also on a stream that is never quiet", async () => {
    const { webSocket, log, close } = await openWebSocket(`${server.url}/channels/quick`);
    let pings = 0;
    webSocket.on("ping", () => (pings += 1));
    const publishing = setInterval(() => void server.publish("quick", { type: "tick", data: 1 }), 100);
    // A peer that was not asked for a sign of life would be ended for silence after some 5 s.
    await expect.poll(() => pings, PATIENT).toBeGreaterThan(3);
    clearInterval(publishing);
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
    expect(log.received.length).toBeGreaterThan(1);
    close();
  });

  it("a peer's own ping: is answered with its payload, each of them", async () => {
    const { webSocket, close } = await join();
    const pongs: string[] = [];
    webSocket.on("pong", (payload) => pongs.push(payload.toString()));
    const payloads = ["", ...Array.from({ length: 10 }, (_, index) => `ping ${index}`), "x".repeat(125)];
    for (const payload of payloads) webSocket.ping(payload);
    await expect.poll(() => pongs, PATIENT).toEqual(payloads);
    close();
  });

  it("a peer's own ping: a flood of them from one that does not read takes no memory, and the last is answered", async () => {
    const root = makeProject();
    await using own = await startServerProcess(root, { chat: PUBLIC_ROOMS });
    const raw = await openRawWebSocket(own, "/channels/chat");
    const before = await own.memory();
    raw.socket.pause();
    const ping = (payload: string): Buffer => encodeClientFrame({ opcode: OPCODE.ping, payload });
    const chunk = Buffer.concat(Array.from({ length: 500 }, () => ping("x".repeat(125))));
    for (let sent = 0; sent < 800; sent += 1) if (!raw.socket.write(chunk)) await once(raw.socket, "drain");
    expect((await own.memory()) - before).toBeLessThan(10 * MIB);
    raw.socket.write(ping("the last"));
    raw.socket.resume();
    await expect.poll(() => String(raw.frames().at(-1)?.payload), PATIENT).toBe("the last");
    raw.socket.destroy();
    rmSync(root, { recursive: true, force: true });
  });

  it("the sub-protocol is echoed, a token never: whatever else is offered", async () => {
    for (const protocols of [
      ["chanctl.v1"],
      ["bearer.secret", "chanctl.v1"],
      ["chanctl.v1", "bearer.secret"],
    ]) {
      const { webSocket, close } = await openWebSocket(`${server.url}/channels/chat`, { protocols });
      expect(webSocket.protocol).toBe("chanctl.v1");
      close();
    }
  });

  it("the sub-protocol is echoed, a token never: a client that offers none gets none", async () => {
    const { webSocket, close } = await openWebSocket(`${server.url}/channels/chat`, { protocols: [] });
    expect(webSocket.protocol).toBe("");
    close();
  });

  it("the sub-protocol is echoed, a token never: refusals too, then the reason, then the close code", async () => {
    const webSocket = new WebSocket(`${server.url.replace("http", "ws")}/channels/nope`, ["chanctl.v1"]);
    const frames: unknown[] = [];
    webSocket.on("message", (data: Buffer) => frames.push(JSON.parse(data.toString("utf8"))));
    const [code, reason] = (await once(webSocket, "close")) as [number, Buffer];
    expect(webSocket.protocol).toBe("chanctl.v1");
    expect(frames).toEqual([
      { control: "error", code: "channel_unknown", message: "there is no channel `nope`" },
    ]);
    expect([code, reason.toString()]).toEqual([4404, "no such channel"]);
  });

  it("a changed messages schema: counts from the next message on, on connections that stay", async () => {
    await save("checked", { transport: "ws", public: true });
    const { send, control, log, close } = await openWebSocket(`${server.url}/channels/checked`);
    send({ type: "any", data: 1, ref: 1 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "ack" });
    await save("checked", { transport: "ws", public: true, messages: { message: TEXT } });
    send({ type: "any", data: 1, ref: 2 });
    expect(await control({ ref: 2 })).toMatchObject({ control: "error", code: "message_invalid" });
    send({ type: "message", data: { text: "hi" }, ref: 3 });
    expect(await log.dataOf(2)).toEqual([1, { text: "hi" }]);
    close();
  });
});

describe("over HTTP", () => {
  it.each(["POST", "PUT", "DELETE", "HEAD", "PATCH"])(
    "other methods: %s to a channel is 405, and says what is allowed",
    async (method) => {
      const response = await fetch(`${server.url}/channels/read`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET");
    },
  );

  it.each(["GET", "PUT", "DELETE", "HEAD", "PATCH"])(
    "other methods: %s to a channel's messages is 405, and says what is allowed",
    async (method) => {
      const response = await fetch(`${server.url}/channels/chat/messages`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    },
  );

  it("other methods: are 405 before anyone is asked who calls, and 404 where there is no channel", async () => {
    await using guarded = await startGuardedServer();
    const ask = (name: string): Promise<Response> =>
      fetch(`${guarded.server.url}/channels/${name}`, { method: "DELETE" });
    expect((await ask("guarded")).status).toBe(405);
    expect((await ask("nope")).status).toBe(404);
    expect(guarded.app.calls).toEqual([]);
  });
});

/** The `index`-th of `count` fragments of a message. */
function fragment(payload: string, index: number, count: number): Buffer {
  const opcode = index === 0 ? OPCODE.text : OPCODE.continuation;
  return encodeClientFrame({ payload, opcode, isFinal: index === count - 1 });
}
