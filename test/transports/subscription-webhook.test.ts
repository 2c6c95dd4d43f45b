import { describe, expect, it, vi } from "vitest";
import { OPEN_STREAMS, streamsOf } from "../support/durable-streams.ts";
import type { StreamsClient } from "../support/durable-streams.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { isSignedBy, startWebhookReceiver } from "../support/webhook-receiver.ts";
import type { Answer, Notification, WebhookReceiver } from "../support/webhook-receiver.ts";

interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly receiver: WebhookReceiver;
  readonly streams: StreamsClient;
}

/** A server with the subscription `sub` to `events/*`, and its receiver. */
async function startScene({
  answer = {},
  leaseTtlMs = 60_000,
}: { readonly answer?: Answer; readonly leaseTtlMs?: number } = {}): Promise<Scene> {
  const receiver = await startWebhookReceiver({ answer });
  const server = await startTestServer({ durableStreams: OPEN_STREAMS });
  const streams = streamsOf(`${server.url}/ds`);
  const body = {
    type: "webhook",
    pattern: "events/*",
    webhook: { url: receiver.url },
    lease_ttl_ms: leaseTtlMs,
  };
  expect(await streams.control("PUT", "subscriptions/sub", { body })).toMatchObject({ status: 201 });
  return {
    server,
    receiver,
    streams,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

async function cursorOf(streams: StreamsClient, path: string): Promise<string | undefined> {
  const { body } = await streams.control("GET", "subscriptions/sub");
  return body.streams.find((stream) => stream.path === path)?.acked_offset;
}

/** What a worker calls back with for the whole of a notification. */
function ackOf({ wake_id, generation, streams }: Notification) {
  const acks = streams.map(({ path, tail_offset }) => ({ stream: path, offset: tail_offset }));
  return { wake_id, generation, acks, done: true };
}

describe("a webhook (7.1)", () => {
  it("tells what is pending, signed by a key of the JWKS", async () => {
    await using scene = await startScene();
    const { streams, receiver, server } = scene;
    await streams.create("events/a", '{"n":1}');
    const notification = await receiver.request(0);
    const { body } = await streams.control("GET", "jwks.json");
    expect(isSignedBy(notification, body.keys)).toBe(true);
    expect(isSignedBy({ ...notification, rawBody: `${notification.rawBody} ` }, body.keys)).toBe(false);
    const tail = await streams.tail("events/a");
    expect(notification.body).toMatchObject({
      subscription_id: "sub",
      generation: 1,
      streams: [{ path: "events/a", link_type: "glob", tail_offset: tail, has_pending: true }],
      callback_url: `${server.url}/ds/__ds/subscriptions/sub/callback`,
    });
    expect(notification.headers).toMatchObject({ "content-type": "application/json" });
  });

  it("that answers `done` acknowledges what it was told of, and is sent again for what came meanwhile", async () => {
    await using scene = await startScene({
      answer: (response) => {
        held.push(() => response.end('{"done":true}'));
      },
    });
    const held: (() => void)[] = [];
    const { streams, receiver } = scene;
    await streams.create("events/a", "[1]");
    const first = await receiver.request(0);
    await streams.append("events/a", 2);
    held[0]?.();
    const second = await receiver.request(1);
    expect(second.body).toMatchObject({
      generation: 2,
      streams: [{ acked_offset: first.body.streams[0]?.tail_offset, has_pending: true }],
    });
    expect(second.body.wake_id).not.toBe(first.body.wake_id);
    held[1]?.();
    const tail = await streams.tail("events/a");
    await vi.waitFor(async () => expect(await cursorOf(streams, "events/a")).toBe(tail), PATIENT);
    expect(receiver.received).toHaveLength(2);
  });

  it("that is merely taken leaves the work to its worker, who calls back while nobody else is woken", async () => {
    await using scene = await startScene();
    const { streams, receiver } = scene;
    await streams.create("events/a", "[1]");
    const { body } = await receiver.request(0);
    await streams.append("events/a", 2);
    const options = { token: body.callback_token, body: { ...ackOf(body), done: false } };
    expect(await streams.control("POST", "subscriptions/sub/callback", options)).toMatchObject({
      status: 200,
      body: { ok: true, next_wake: false },
    });
    expect(receiver.received).toHaveLength(1);
    const done = { ...options, body: { ...options.body, acks: [], done: true } };
    expect(await streams.control("POST", "subscriptions/sub/callback", done)).toMatchObject({
      status: 200,
      body: { ok: true, next_wake: true },
    });
    expect((await receiver.request(1)).body.generation).toBe(2);
    expect(await streams.control("POST", "subscriptions/sub/callback", done)).toMatchObject({
      status: 409,
      body: { error: { code: "FENCED" } },
    });
  });

  it("whose worker is silent is sent again when the lease is over (7.3)", async () => {
    await using scene = await startScene({ leaseTtlMs: 1_000 });
    const { streams, receiver } = scene;
    await streams.create("events/a", "[1]");
    const first = await receiver.request(0);
    expect((await receiver.request(1)).body.generation).toBe(2);
    const late = { token: first.body.callback_token, body: ackOf(first.body) };
    expect(await streams.control("POST", "subscriptions/sub/callback", late)).toMatchObject({
      status: 409,
      body: { error: { code: "FENCED" } },
    });
    expect(await cursorOf(streams, "events/a")).not.toBe(first.body.streams[0]?.tail_offset);
  });

  it.each<[string, Answer]>([
    ["an error", (response) => response.writeHead(500).end()],
    [
      "a redirect, which is not followed",
      (response) => response.writeHead(307, { location: "/other" }).end(),
    ],
    ["a broken connection", (response) => response.destroy()],
  ])(
    "that meets %s is tried again, and its subscription has failed until it is taken",
    async (_what, answer) => {
      await using scene = await startScene({ answer });
      const { streams, receiver } = scene;
      await streams.create("events/a", "[1]");
      await vi.waitFor(async () => {
        const { body } = await streams.control("GET", "subscriptions/sub");
        expect(body.status).toBe("failed");
      }, PATIENT);
      receiver.answer = { done: true };
      const tail = await streams.tail("events/a");
      await vi.waitFor(async () => expect(await cursorOf(streams, "events/a")).toBe(tail), PATIENT);
      expect((await streams.control("GET", "subscriptions/sub")).body.status).toBe("active");
      const ids = new Set(receiver.received.map(({ body }) => body.wake_id));
      expect(ids, "one wake").toEqual(new Set([receiver.received[0]?.body.wake_id]));
    },
  );

  it("of a subscription that was deleted cannot be called back for, and moves no cursor (6.3)", async () => {
    await using scene = await startScene();
    const { streams, receiver } = scene;
    await streams.create("events/a", "[1]");
    const { body } = await receiver.request(0);
    expect(await streams.control("DELETE", "subscriptions/sub")).toMatchObject({ status: 204 });
    const options = { token: body.callback_token, body: ackOf(body) };
    expect(await streams.control("POST", "subscriptions/sub/callback", options)).toMatchObject({
      status: 404,
      body: { error: { code: "SUBSCRIPTION_NOT_FOUND" } },
    });
    const webhook = { type: "webhook", pattern: "events/*", webhook: { url: receiver.url } };
    await streams.control("PUT", "subscriptions/sub", { body: webhook });
    const before = await cursorOf(streams, "events/a");
    await streams.append("events/a", 2);
    await receiver.request(1);
    expect(await streams.control("POST", "subscriptions/sub/callback", options)).toMatchObject({
      status: 401,
      body: { error: { code: "TOKEN_INVALID" } },
    });
    expect(await cursorOf(streams, "events/a")).toBe(before);
  });

  it("is called back for with its own token only (12.9)", async () => {
    await using scene = await startScene();
    const { streams, receiver } = scene;
    await streams.create("events/a", "[1]");
    const { body } = await receiver.request(0);
    const other = { type: "webhook", pattern: "events/*", webhook: { url: receiver.url } };
    await streams.control("PUT", "subscriptions/other", { body: other });
    const call = (id: string, token?: string) =>
      streams.control("POST", `subscriptions/${id}/callback`, {
        body: ackOf(body),
        ...(token === undefined ? {} : { token }),
      });
    const [payload = "", mac = ""] = body.callback_token.split(".");
    const forged = Buffer.from(payload, "base64url").toString().replace('"generation":1', '"generation":2');
    expect(await call("sub")).toMatchObject({ status: 401, body: { error: { code: "TOKEN_MISSING" } } });
    for (const token of [
      "x",
      `${payload}.`,
      `${Buffer.from(forged).toString("base64url")}.${mac}`,
      `${payload}.${mac}.x`,
    ]) {
      expect(await call("sub", token)).toMatchObject({
        status: 401,
        body: { error: { code: "TOKEN_INVALID" } },
      });
    }
    expect(await call("other", body.callback_token)).toMatchObject({
      status: 401,
      body: { error: { code: "TOKEN_INVALID" } },
    });
    expect(await call("sub", body.callback_token)).toMatchObject({ status: 200 });
  });
});
