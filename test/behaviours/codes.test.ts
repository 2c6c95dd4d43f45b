import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { openPublisher, post } from "../support/post.ts";
import { PLACES, refusalOf } from "../support/refusal-of.ts";
import type { Place } from "../support/refusal-of.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "m", data: 1 };
const AUTH = { transport: "ws", auth: { headerName: "authorization" } };

let guarded: GuardedServer;

beforeAll(async () => {
  guarded = await startGuardedServer({
    channels: {
      chat: PUBLIC_ROOMS,
      read: { public: true },
      fleeting: { ...PUBLIC_ROOMS, replayWindowMs: 0 },
      guarded: AUTH,
    },
    limits: { authFrameWaitMs: 300 },
    watch: true,
  });
});
afterAll(() => guarded[Symbol.asyncDispose]());

/** The number of a refusal: a close code of WebSocket, a status of HTTP. */
function numberOf(place: Place, codes: { readonly close: number; readonly status: number }): number {
  return place === "WebSocket" ? codes.close : codes.status;
}

describe.each(PLACES)("over %s", (place: Place) => {
  /** What a caller to a channel of the guarded server is refused with. */
  async function expectRefused(
    channel: string,
    headers: Readonly<Record<string, string>>,
    { code, ...codes }: { readonly code: string; readonly close: number; readonly status: number },
  ): Promise<void> {
    const refusal = await refusalOf(place, guarded.server, { channel, headers });
    expect({ number: refusal.number, code: refusal.code }).toEqual({ number: numberOf(place, codes), code });
  }

  it("4400 / 400 malformed: an id, or a message, that is none", async () => {
    const refusal = await refusalOf(place, guarded.server, {
      channel: place === "HTTP" ? "chat" : "chat?last_message_id=nonsense",
      body: "nonsense",
    });
    expect(refusal).toMatchObject({
      number: numberOf(place, { close: 4400, status: 400 }),
      code: "malformed",
    });
  });

  it("4422 / 400 params invalid: a param that there is not, and the one that was meant", async () => {
    await expectRefused("chat?romo=1", {}, { close: 4422, status: 400, code: "params_invalid" });
  });

  it("4401 / 401: no credential, or one that the app does not know", async () => {
    const codes = { close: 4401, status: 401, code: "unauthenticated" };
    await expectRefused("guarded", {}, codes);
    await expectRefused("guarded", bearer("unknown"), codes);
  });

  it("4403 / 403 forbidden: the app says no", async () => {
    const token = guarded.tokenFor(() => ({ ok: false, reason: "not you" }));
    await expectRefused("guarded", bearer(token), { close: 4403, status: 403, code: "forbidden" });
  });

  it("4403 / 403 wrong Origin: a page of another site", async () => {
    const origin = "https://evil.example";
    await expectRefused("chat", { origin }, { close: 4403, status: 403, code: "origin_forbidden" });
  });

  it.each(["nope", "authorize", "on-publish", "chat/authorize", "", "chat/", "Chat", "%63hat"])(
    "4404 / 404 unknown channel: `%s`",
    async (channel) => {
      await expectRefused(channel, {}, { close: 4404, status: 404, code: "channel_unknown" });
    },
  );

  it("4429 / 429: over a limit, with the time to wait", async () => {
    await using server = await startTestServer({
      channels: { chat: PUBLIC_ROOMS },
      limits: { maxConnectionsPerAddress: 1, publishBurst: 1, maxPublishesPerSec: 1 },
    });
    if (place === "HTTP") {
      const publisher = openPublisher(server, "chat");
      let answer = await publisher.post(MESSAGE);
      while (answer.status === 200) answer = await publisher.post(MESSAGE);
      expect(answer).toMatchObject({ status: 429, fields: { code: "rate_limited" } });
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      publisher.close();
      return;
    }
    const { connect } = place === "SSE" ? sseClient : webSocketClient;
    const { close } = await connect(`${server.url}/channels/chat`);
    const refusal = await refusalOf(place, server, { channel: "chat" });
    expect(refusal).toMatchObject({
      number: numberOf(place, { close: 4429, status: 429 }),
      code: "rate_limited",
    });
    if (place === "WebSocket") expect(refusal.fields["afterMs"]).toBe(5_000);
    close();
  });

  it("4503 / 503: the app is not there, and nobody is let in for it", async () => {
    const token = guarded.tokenFor((_, response) => void response.writeHead(500).end());
    await expectRefused("guarded", bearer(token), { close: 4503, status: 503, code: "app_unavailable" });
  });
});

describe.each([sseClient, webSocketClient])("over $name", ({ name, connect }) => {
  it("4404 removed channel: ends the connection, and is what the next one gets", async () => {
    const channel = `gone-${name.toLowerCase()}`;
    guarded.server.define(channel, { transport: "ws", public: true });
    const url = `${guarded.server.url}/channels/${channel}`;
    await expect.poll(() => guarded.server.running.registry.get(channel), PATIENT).toBeDefined();
    const { log } = await connect(url);
    guarded.server.undefine(channel);
    expect(await log.ended).toMatchObject({
      title: "no such channel",
      ...(name === "WebSocket" ? { closeCode: 4404 } : {}),
    });
    await expect(connect(url)).rejects.toMatchObject({ number: { SSE: 404, WebSocket: 4404 }[name] });
  });

  it("4408 lifetime or grant over: with the time to come back, and the app is asked again", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, expiresAt: Date.now() + 1_500 }));
    const url = `${guarded.server.url}/channels/guarded`;
    const { log, startId } = await connect(url, { headers: bearer(token) });
    const { title, afterMs, closeCode } = await log.ended;
    expect(title).toBe("connection lifetime is over");
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 4408 }[name]);
    const back = await connect(`${url}?last_message_id=${startId}`, { headers: bearer(token) });
    expect(guarded.callsAbout(token)).toHaveLength(2);
    back.close();
  });

  it("4408 disconnected: at once, with the time to come back", async () => {
    const subject = `disconnected over ${name}`;
    const token = guarded.tokenFor(() => ({ ok: true, subject }));
    const { log } = await connect(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) });
    const response = await guarded.server.internal("/_chanctl/disconnect", jsonBody({ subject }));
    expect(await response.json()).toEqual({ closed: 1 });
    const { title, afterMs, closeCode } = await log.ended;
    expect(title).toBe("disconnected by the app");
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 4408 }[name]);
  });

  it("4410 / 410: something was missed for good; with `oldest` and `newest`", async () => {
    const room = `fleeting?room=${name}`;
    const ids = await guarded.server.publish(room, [MESSAGE, MESSAGE]);
    const url = `${guarded.server.url}/channels/${room}&last_message_id=${ids[0]}`;
    // Messages are past a window of 0 ms when their millisecond is over.
    await expect
      .poll(
        () =>
          connect(url).then(
            ({ close }) => close(),
            (refusal: unknown) => refusal,
          ),
        PATIENT,
      )
      .toMatchObject({
        number: { SSE: 410, WebSocket: 4410 }[name],
        code: "replay_window_exceeded",
        fields: { oldest: ids[1], newest: ids[1] },
      });
  });
});

describe("over WebSocket", () => {
  it("1001 / 1012: at a shutdown, after a `reconnect` frame that says when and why", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const { log, controls } = await openWebSocket(`${server.url}/channels/chat`);
    await server.running.close();
    expect(await log.ended).toMatchObject({ closeCode: 1012, title: "server is restarting" });
    expect(controls.at(-1)).toEqual({
      control: "reconnect",
      afterMs: expect.any(Number) as unknown,
      reason: "service_restart",
    });
  });

  it("1003 / 415: a binary frame, after an `error` frame that says so", async () => {
    const { webSocket, log, controls } = await openWebSocket(`${guarded.server.url}/channels/chat`);
    webSocket.send(Buffer.from("{}"), { binary: true });
    expect(await log.ended).toMatchObject({ closeCode: 1003, title: "binary frames are not supported" });
    expect(controls.at(-1)).toMatchObject({ control: "error", code: "binary_unsupported" });
  });

  it("1009 / 413: a message that is too big, after an `error` frame that says so", async () => {
    const { send, log, controls } = await openWebSocket(`${guarded.server.url}/channels/chat`);
    send({ type: "m", data: "x".repeat(65_536) });
    expect(await log.ended).toMatchObject({ closeCode: 1009, title: "too big" });
    expect(controls.at(-1)).toMatchObject({ control: "error", code: "too_big" });
  });

  it("4403 / 403 WebSocket on an sse channel: says what to set", async () => {
    const refusal = await refusalOf("WebSocket", guarded.server, { channel: "read" });
    expect(refusal).toMatchObject({ number: 4403, code: "transport_forbidden" });
    expect(refusal.fields["fix"]).toContain('transport: "ws"');
  });

  it("422 key_reused: an `error` frame with the ref, and the connection goes on", async () => {
    const { send, control, close } = await openWebSocket(`${guarded.server.url}/channels/chat?room=keys`);
    send({ ...MESSAGE, key: "k", ref: 1 });
    await control({ ref: 1 });
    send({ type: "m", data: 2, key: "k", ref: 2 });
    expect(await control({ ref: 2 })).toMatchObject({ control: "error", code: "key_reused" });
    send({ ...MESSAGE, ref: 3 });
    expect(await control({ ref: 3 })).toMatchObject({ control: "ack" });
    close();
  });

  it("507 store full: an `error` frame with the ref, and the connection goes on", async (context) => {
    const stateFolder = mountSmallDisk(context, { megabytes: 24 });
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, stateFolder });
    const { send, control, log, webSocket, close } = await openWebSocket(`${server.url}/channels/chat`);
    await fillStore((body) => server.publish("chat", body));
    send({ type: "m", data: "x".repeat(60_000), ref: 1 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "error", code: "store_full" });
    expect(webSocket.readyState).toBe(webSocket.OPEN);
    expect(log.received.length).toBeGreaterThan(0);
    close();
  });
});

describe("over HTTP", () => {
  it("1003 / 415: a body that is not JSON by its type", async () => {
    const answer = await post(guarded.server, "chat", {
      body: MESSAGE,
      headers: { "content-type": "text/plain" },
    });
    expect(answer).toMatchObject({ status: 415, fields: { code: "content_type_unsupported" } });
  });

  it("1009 / 413: a message that is too big", async () => {
    const answer = await post(guarded.server, "chat", { body: { type: "m", data: "x".repeat(65_536) } });
    expect(answer).toMatchObject({ status: 413, fields: { code: "too_big" } });
  });

  it("422 key_reused: another body under the same key", async () => {
    const headers = { "idempotency-key": "http" };
    await post(guarded.server, "chat?room=keys", { body: MESSAGE, headers });
    const answer = await post(guarded.server, "chat?room=keys", { body: { type: "m", data: 2 }, headers });
    expect(answer).toMatchObject({ status: 422, fields: { code: "key_reused" } });
  });

  it("507 store full: with the time after which a repeat may work", async (context) => {
    const stateFolder = mountSmallDisk(context, { megabytes: 24 });
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, stateFolder });
    await fillStore((body) => server.publish("chat", body));
    const answer = await post(server, "chat", { body: { type: "m", data: "x".repeat(60_000) } });
    expect(answer).toMatchObject({ status: 507, fields: { code: "store_full" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  });

  it("problem+json with a stable code: title, status, code, detail and, where there is one, the fix", async () => {
    const response = await fetch(`${guarded.server.url}/channels/chat?romo=1`);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.json()).toEqual({
      title: "params do not fit the channel",
      status: 400,
      code: "params_invalid",
      detail: "`chat` has no param `romo`",
      fix: "did you mean `room`?",
    });
  });

  it.each([
    ["GET", "/channels/nope", 404, "channel_unknown"],
    ["DELETE", "/channels/chat", 405, "method_not_allowed"],
    ["GET", "/channels/chat?rewind=x", 400, "malformed"],
    ["GET", "/channels/guarded", 401, "unauthenticated"],
    ["POST", "/channels/read/messages", 403, "transport_forbidden"],
    ["POST", "/channels/chat/messages", 415, "content_type_unsupported"],
  ])("problem+json with a stable code: %s %s is %i %s", async (method, path, status, code) => {
    const response = await fetch(guarded.server.url + path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status, code });
  });
});

/** Publishes until the store takes no more. */
async function fillStore(publish: (body: unknown) => Promise<unknown>): Promise<void> {
  const body = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(60_000) }));
  for (let batch = 0; batch < 1_000; batch += 1) {
    const outcome = await publish(body).catch((error: unknown) => error);
    if (String(outcome).includes("store_full")) return;
  }
  throw new Error("the store took everything");
}
