import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };

let server: TestServer;
let rooms = 0;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      checked: { transport: "ws", public: true, messages: { message: TEXT } },
      read: { public: true },
      quick: { transport: "ws", public: true, keepaliveIntervalMs: 2_000 },
    },
    limits: { publishBurst: 50, maxPublishesPerSec: 1, maxMessageBytes: 1_000 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Joins a room that no other test uses. */
function join(): Promise<WebSocketSubscriber> {
  rooms += 1;
  return openWebSocket(`${server.url}/channels/chat?room=${rooms}`);
}

describe("the handshake", () => {
  it("is answered by `ready`, with the place where reading starts", async () => {
    const { controls, startId, webSocket, close } = await join();
    expect(controls).toEqual([{ control: "ready", id: startId }]);
    expect(webSocket.protocol).toBe("chanctl.v1");
    close();
  });

  it("is completed for a client that offers no sub-protocol", async () => {
    const { webSocket, close } = await openWebSocket(`${server.url}/channels/chat`, { protocols: [] });
    expect(webSocket.protocol).toBe("");
    close();
  });

  it("echoes the sub-protocol and never a token", async () => {
    const { webSocket, close } = await openWebSocket(`${server.url}/channels/chat`, {
      protocols: ["bearer.secret", "chanctl.v1"],
    });
    expect(webSocket.protocol).toBe("chanctl.v1");
    close();
  });

  it("is completed for a refusal too, with the sub-protocol, then the reason, then the close code", async () => {
    const webSocket = new WebSocket(`${server.url.replace("http", "ws")}/channels/nope`, ["chanctl.v1"]);
    const frames: string[] = [];
    webSocket.on("message", (data: Buffer) => frames.push(data.toString("utf8")));
    const [code, reason] = await new Promise<[number, Buffer]>((resolve) => {
      webSocket.on("close", (...closed) => resolve(closed));
    });
    expect(webSocket.protocol).toBe("chanctl.v1");
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { control: "error", code: "channel_unknown", message: "there is no channel `nope`" },
    ]);
    expect([code, reason.toString()]).toEqual([4404, "no such channel"]);
  });

  it("is refused on a channel that is served as SSE only", async () => {
    await expect(openWebSocket(`${server.url}/channels/read`)).rejects.toMatchObject({
      number: 4403,
      code: "transport_forbidden",
    });
  });

  it("is refused on the path that messages are POSTed to", async () => {
    await expect(openWebSocket(`${server.url}/channels/chat/messages`)).rejects.toMatchObject({
      number: 4404,
    });
  });

  it.each([
    ["without a key", { "sec-websocket-version": "13" }],
    [
      "of an unknown version",
      { "sec-websocket-version": "9", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
    ],
  ])("that is malformed, %s, is answered 4xx", async (_, headers) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(`${server.url}/channels/chat`, {
        headers: { connection: "upgrade", upgrade: "websocket", ...headers },
      })
        .on("response", (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });
});

describe("a publish", () => {
  it("is acknowledged with its ref and id, and comes back to its sender like to everyone else", async () => {
    const [sender, other] = await Promise.all([
      openWebSocket(`${server.url}/channels/chat?room=echo`),
      openSse(`${server.url}/channels/chat?room=echo`),
    ]);
    sender.send('{"type":"message","data":12345678901234567890,"ref":7,"from":"forged","unknown":true}');
    const ack = await sender.control({ control: "ack" });
    const [message] = await sender.log.waitFor(1);
    expect(ack).toEqual({ control: "ack", ref: 7, id: message?.id });
    expect(message?.json).toContain('"data":12345678901234567890,"time":');
    expect(await other.log.waitFor(1)).toEqual([message]);
    sender.close();
    other.close();
  });

  it.each([1, -1.5, "a", 'quotes " and \\ and \n', "0".repeat(100)])(
    "gets its ref %j back as it was",
    async (ref) => {
      const { send, control, close } = await join();
      send({ type: "message", data: null, ref });
      expect(await control({ control: "ack" })).toMatchObject({ ref });
      close();
    },
  );

  it("gets its ref back in the client's own text, refused or not, also a number that JavaScript cannot keep", async () => {
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

  it("needs no ref", async () => {
    const { send, control, close } = await join();
    send({ type: "message", data: null });
    expect(Object.keys(await control({ control: "ack" }))).toEqual(["control", "id"]);
    close();
  });

  it("keeps its order among others of the same connection", async () => {
    const { send, log, controls, close } = await join();
    for (let ref = 0; ref < 50; ref += 1) send({ type: "number", data: ref, ref });
    const data = await log.dataOf(50);
    expect(data).toEqual(Array.from({ length: 50 }, (_, index) => index));
    await expect.poll(() => controls.length, PATIENT).toBe(51);
    expect(controls.slice(1).map(({ ref }) => ref)).toEqual(data);
    expect(controls.slice(1).map(({ id }) => id)).toEqual(log.received.map(({ id }) => id));
    close();
  });

  it("is stored once however often it comes with the same key, also over HTTP", async () => {
    rooms += 1;
    const path = `/channels/chat?room=${rooms}`;
    const { send, control, log, close } = await openWebSocket(server.url + path);
    send({ type: "message", data: "once", key: "k1", ref: 1 });
    send({ type: "message", data: "once", key: "k1", ref: 2 });
    const [first, second] = [await control({ ref: 1 }), await control({ ref: 2 })];
    expect(second["id"]).toBe(first["id"]);
    const posted = await fetch(server.url + path.replace("?", "/messages?"), {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "k1" },
      body: '{"type":"message","data":"once"}',
    });
    expect(await posted.json()).toEqual({ ids: [first["id"]] });
    send({ type: "message", data: "after" });
    expect(await log.dataOf(2)).toEqual(["once", "after"]);
    close();
  });

  it("past the burst is refused with the time to wait, and later ones are taken again", async () => {
    const { send, control, close } = await join();
    for (let ref = 0; ref < 60; ref += 1) send({ type: "number", data: ref, ref });
    const error = await control({ control: "error" });
    expect(error).toMatchObject({ code: "rate_limited" });
    expect(error["afterMs"]).toBeGreaterThan(0);
    let ref = 1_000;
    await expect
      .poll(
        async () => {
          ref += 1;
          send({ type: "number", data: ref, ref });
          return (await control({ ref })).control;
        },
        { ...PATIENT, interval: 200 },
      )
      .toBe("ack");
    close();
  });
});

describe("a frame", () => {
  it.each([
    ["no JSON", "hello", undefined],
    ["no object", "[1]", undefined],
    ["without a type", '{"data":1,"ref":"r"}', "r"],
    ["without data", '{"type":"message","ref":"r"}', "r"],
    ["with an empty type", '{"type":"","data":1,"ref":"r"}', "r"],
    ["with a type that is no text", '{"type":1,"data":1,"ref":"r"}', "r"],
    ["with an unknown control", '{"control":"ready","ref":"r"}', "r"],
    ["with a key that is no text", '{"type":"m","data":1,"key":1,"ref":"r"}', "r"],
    ["with a key that is too long", `{"type":"m","data":1,"key":"${"k".repeat(257)}","ref":"r"}`, "r"],
    ["with a ref that is no scalar", '{"type":1,"data":1,"ref":{"a":1}}', undefined],
  ])("%s is answered with an error, and the connection goes on", async (_, frame, ref) => {
    const { send, control, close } = await join();
    send(frame);
    const error = await control({ control: "error" });
    expect(error["code"]).toBe("malformed");
    expect(error["ref"]).toBe(ref);
    send({ type: "message", data: 1, ref: "next" });
    expect(await control({ ref: "next" })).toMatchObject({ control: "ack" });
    close();
  });

  it("closes with 4400 when malformed ones go on and on", async () => {
    const { send, log, controls } = await join();
    for (let index = 0; index < 100; index += 1) send("nonsense");
    expect(await log.ended).toMatchObject({ closeCode: 4400 });
    expect(controls.length).toBeLessThan(20);
  });

  it("closes with 4400 also when good ones that store nothing come between", async () => {
    const { send, log } = await join();
    for (let index = 0; index < 100; index += 1) {
      send("nonsense");
      send({ control: "pong" });
    }
    expect(await log.ended).toMatchObject({ closeCode: 4400 });
  });

  it("that is malformed is forgiven once a publish is stored", async () => {
    const { send, control, close } = await join();
    for (let ref = 0; ref < 4; ref += 1) {
      for (let index = 0; index < 5; index += 1) send("nonsense");
      send({ type: "message", data: 1, ref });
      expect(await control({ ref })).toMatchObject({ control: "ack" });
    }
    close();
  });

  it("in binary closes with 1003", async () => {
    const { webSocket, log } = await join();
    webSocket.send(Buffer.from('{"type":"message","data":1}'), { binary: true });
    expect(await log.ended).toMatchObject({ closeCode: 1003 });
  });

  it.each([
    ["a message's data over the limit", 1_001],
    ["a whole frame over the limit", 100_000],
  ])("that is too big closes with 1009: %s", async (_, length) => {
    const { send, log } = await join();
    send({ type: "message", data: "x".repeat(length) });
    expect(await log.ended).toMatchObject({ closeCode: 1009 });
    expect(log.received).toEqual([]);
  });

  it("may have its longest type, key and data, and the first two in escapes", async () => {
    const { send, control, close } = await join();
    const [type, key] = [String.raw`\u0074`.repeat(256), String.raw`\u006b`.repeat(256)];
    send(`{"type":"${type}","key":"${key}","ref":"r","data":"${"x".repeat(998)}"}`);
    expect(await control({ ref: "r" })).toMatchObject({ control: "ack" });
    close();
  });

  it("that is not UTF-8 closes with 1007", async () => {
    const { webSocket, log } = await join();
    webSocket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    expect(await log.ended).toMatchObject({ closeCode: 1007 });
  });

  it("may come in fragments", async () => {
    const { webSocket, control, close } = await join();
    webSocket.send('{"type":"message",', { fin: false });
    webSocket.send('"data":1,', { fin: false });
    webSocket.send('"ref":"r"}', { fin: true });
    expect(await control({ ref: "r" })).toMatchObject({ control: "ack" });
    close();
  });

  it("of a client that says `pong` is taken", async () => {
    const { send, control, controls, close } = await join();
    send({ control: "pong" });
    send({ type: "message", data: 1, ref: "r" });
    await control({ ref: "r" });
    expect(controls.filter((frame) => frame.control === "error")).toEqual([]);
    close();
  });
});

describe("liveness", () => {
  it("ends a peer that is silent for two intervals", async () => {
    const { log } = await openWebSocket(`${server.url}/channels/quick`, { client: { autoPong: false } });
    expect(await log.ended).toMatchObject({ closeCode: 1006 });
  });

  it("keeps a peer that only listens, on a stream that is never quiet", async () => {
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
});
