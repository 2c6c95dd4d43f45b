import { connect } from "node:net";
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import { OPEN_STREAMS, streamsOf } from "../support/durable-streams.ts";
import type { ControlBody, StreamsClient } from "../support/durable-streams.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const PULL = { type: "pull-wake", pattern: "events/*", wake_stream: "wake/pool" };
const HOOK = { type: "webhook", pattern: "events/*", webhook: { url: "http://127.0.0.1:9/hook" } };

let server: TestServer;
let streams: StreamsClient;

beforeAll(async () => {
  server = await startTestServer({
    durableStreams: OPEN_STREAMS,
    channels: { chat: { transport: "ws", public: true } },
  });
  streams = streamsOf(`${server.url}/ds`);
});

afterAll(() => server[Symbol.asyncDispose]());

describe("the subscription APIs (6)", () => {
  it("show a subscription as it was made, with `null` where something is absent (6.3)", async () => {
    const named = {
      ...HOOK,
      streams: ["manual/b", "manual/a"],
      lease_ttl_ms: 1_000,
      description: "what for",
    };
    const created = await streams.control("PUT", "subscriptions/shown", { body: { ...named, unknown: 1 } });
    expect(created.status).toBe(201);
    expect(created.headers.get("content-type")).toBe("application/json");
    const { kid } = created.body.webhook.signing;
    expect(created.body).toEqual({
      id: "shown",
      subscription_id: "shown",
      type: "webhook",
      pattern: "events/*",
      streams: ["manual/a", "manual/b"].map((path) => ({
        path,
        link_type: "explicit",
        acked_offset: "0000000000000000_0000000000000000",
      })),
      webhook: {
        url: "http://127.0.0.1:9/hook",
        signing: { alg: "ed25519", kid, jwks_url: `${server.url}/ds/__ds/jwks.json` },
      },
      wake_stream: null,
      lease_ttl_ms: 1_000,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      status: "active",
      description: "what for",
    });
    expect((await streams.control("GET", "subscriptions/shown")).body).toEqual(created.body);
    const again = await streams.control("PUT", "subscriptions/shown", {
      body: { ...named, streams: ["manual/a", "manual/b", "manual/a"] },
    });
    expect(again).toMatchObject({ status: 200, body: created.body });
    const other = await streams.control("PUT", "subscriptions/shown", { body: HOOK });
    expect(other).toMatchObject({ status: 409, body: { error: { code: "SUBSCRIPTION_ALREADY_EXISTS" } } });
  });

  it.each([
    ["pattern", { pattern: "a/\ud800" }],
    ["streams[0]", { streams: ["a/\ud800"] }],
    ["wake_stream", { wake_stream: "\udc00" }],
    ["description", { description: "\ud800" }],
    ["webhook.url", { ...HOOK, webhook: { url: "http://127.0.0.1:9/\ud800" } }],
  ])("refuse half a character in `%s`", async (field, part) => {
    const refused = await streams.control("PUT", "subscriptions/half", { body: { ...PULL, ...part } });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: "INVALID_REQUEST", field } } });
  });

  it("take back what they have shown", async () => {
    const { body } = await streams.control("PUT", "subscriptions/back", { body: PULL });
    expect(await streams.control("PUT", "subscriptions/back", { body })).toMatchObject({ status: 200 });
  });

  it("delete a subscription, again too, and know it no more (6.3)", async () => {
    await streams.control("PUT", "subscriptions/gone", { body: PULL });
    for (let time = 0; time < 2; time += 1) {
      expect(await streams.control("DELETE", "subscriptions/gone")).toMatchObject({ status: 204 });
    }
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["POST", "/streams", { streams: ["a"] }],
      ["DELETE", "/streams/a", undefined],
      ["POST", "/claim", { worker: "w" }],
    ] as const) {
      expect(await streams.control(method, `subscriptions/gone${path}`, { body })).toMatchObject({
        status: 404,
        body: { error: { code: "SUBSCRIPTION_NOT_FOUND" } },
      });
    }
  });

  it("publish the signing key (6.5)", async () => {
    const { headers, body } = await streams.control("GET", "jwks.json");
    expect(headers.get("content-type")).toBe("application/jwk-set+json");
    expect(headers.get("cache-control")).toBe("public, max-age=300");
    expect(body.keys).toEqual([
      {
        kty: "OKP",
        crv: "Ed25519",
        kid: expect.stringMatching(/^ds_[A-Za-z0-9_-]{43}$/),
        use: "sig",
        alg: "EdDSA",
        x: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      },
    ]);
  });

  it("are reserved in every spelling, and no stream is", async () => {
    for (const spelling of ["__ds", "%5f%5fds", "_%5Fds", "__d%73"]) {
      const response = await fetch(`${server.url}/ds/${spelling}/jwks.json`);
      expect(response.headers.get("content-type"), spelling).toBe("application/jwk-set+json");
      const put = await fetch(`${server.url}/ds/${spelling}/events`, { method: "PUT" });
      expect(put.status, spelling).toBe(404);
      expect(await put.json()).toMatchObject({ error: { code: "NOT_FOUND" } });
    }
    const fork = await fetch(`${server.url}/ds/fork`, {
      method: "PUT",
      headers: { "stream-forked-from": "/ds/__ds/jwks.json" },
    });
    expect(fork.status).toBe(400);
    expect((await fetch(`${server.url}/ds/a/__ds`, { method: "PUT" })).status).toBe(201);
  });

  it("answer a wrong method with those that there are", async () => {
    for (const [method, path, allow] of [
      ["POST", "jwks.json", "GET"],
      ["PATCH", "subscriptions/a", "GET, PUT, DELETE"],
      ["GET", "subscriptions/a/streams", "POST"],
      ["GET", "subscriptions/a/streams/b", "DELETE"],
      ["GET", "subscriptions/a/claim", "POST"],
      ["GET", "subscriptions/a/ack", "POST"],
      ["GET", "subscriptions/a/release", "POST"],
      ["GET", "subscriptions/a/callback", "POST"],
    ]) {
      const { status, headers } = await streams.control(String(method), String(path));
      expect([status, headers.get("allow")], path).toEqual([405, allow]);
    }
  });

  it("give URLs under the host that the caller has come by, and none under a host that is no host", async () => {
    const put = (host: string) =>
      rawRequest(new URL(server.url), [
        "PUT /ds/__ds/subscriptions/by-host HTTP/1.1",
        `host: ${host}`,
        "content-type: application/json",
        `content-length: ${JSON.stringify(HOOK).length}`,
        "connection: close",
        "",
        JSON.stringify(HOOK),
      ]);
    expect(await put("streams.example:8080")).toContain(
      '"jwks_url":"http://streams.example:8080/ds/__ds/jwks.json"',
    );
    expect(await put('evil.example/"x')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await put("%zz")).toContain("INVALID_REQUEST");
  });

  it("give https URLs behind TLS", async () => {
    await using certificates = await makeTestCertificates();
    await using secure = await startTestServer({
      durableStreams: OPEN_STREAMS,
      tls: certificates.tls,
      http2: true,
    });
    const { port } = new URL(secure.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const options = {
        method: "PUT",
        ca: certificates.caPem,
        headers: { "content-type": "application/json" },
      };
      request(`https://localhost:${port}/ds/__ds/subscriptions/a`, options, (response) => {
        response.setEncoding("utf8").once("data", resolve);
      })
        .on("error", reject)
        .end(JSON.stringify(HOOK));
    });
    const { webhook } = JSON.parse(answer) as ControlBody;
    expect(webhook.signing.jwks_url).toBe(`https://localhost:${port}/ds/__ds/jwks.json`);
  });

  it("are closed to strangers, but for the key and for whoever has a wake's token", async () => {
    await using closed = await startTestServer({ durableStreams: { ...OPEN_STREAMS, publicWrites: false } });
    const { control } = streamsOf(`${closed.url}/ds`);
    for (const [method, path, body] of [
      ["PUT", "subscriptions/a", PULL],
      ["GET", "subscriptions/a", undefined],
      ["DELETE", "subscriptions/a", undefined],
      ["POST", "subscriptions/a/streams", { streams: ["x"] }],
      ["DELETE", "subscriptions/a/streams/x", undefined],
      ["POST", "subscriptions/a/claim", { worker: "w" }],
    ] as const) {
      expect(await control(method, path, { body }), path).toMatchObject({
        status: 403,
        body: { error: { code: "FORBIDDEN" } },
      });
    }
    expect(await control("GET", "jwks.json")).toMatchObject({ status: 200 });
    const ack = { token: "x", body: { wake_id: "w", generation: 1 } };
    expect(await control("POST", "subscriptions/a/ack", ack)).toMatchObject({ status: 401 });
  });
});

describe("a request that does not fit (6.2, 7)", () => {
  it.each<[string, unknown, string]>([
    ["no JSON", "{", "body"],
    ["no object", "[]", "body"],
    ["no type", { ...PULL, type: undefined }, "type"],
    ["another type", { ...PULL, type: "push" }, "type"],
    ["no streams at all", { ...PULL, pattern: undefined }, "pattern"],
    ["an empty list of streams", { ...PULL, pattern: undefined, streams: [] }, "pattern"],
    ["an empty pattern", { ...PULL, pattern: "" }, "pattern"],
    ["a pattern that is no text", { ...PULL, pattern: 1 }, "pattern"],
    ["a pattern with a star in a segment", { ...PULL, pattern: "events/a*" }, "pattern"],
    ["a pattern with an empty segment", { ...PULL, pattern: "events//*" }, "pattern"],
    ["a pattern that begins with a slash", { ...PULL, pattern: "/events/*" }, "pattern"],
    ["a pattern of too many segments", { ...PULL, pattern: "a/".repeat(64) + "a" }, "pattern"],
    ["streams that are no list", { ...PULL, streams: "a" }, "streams"],
    ["a stream that is no text", { ...PULL, streams: ["a", 1] }, "streams[1]"],
    ["a stream with dots", { ...PULL, streams: ["a/../b"] }, "streams[0]"],
    ["a stream that is not UTF-8", { ...PULL, streams: ["a%ff"] }, "streams[0]"],
    ["a stream that is reserved", { ...PULL, streams: ["__ds/a"] }, "streams[0]"],
    ["a stream of a channel", { ...PULL, streams: ["chat"] }, "streams[0]"],
    ["too many streams", { ...PULL, streams: Array.from({ length: 1_001 }, String) }, "streams"],
    ["no wake stream", { ...PULL, wake_stream: undefined }, "wake_stream"],
    ["a wake stream of a channel", { ...PULL, wake_stream: "chat" }, "wake_stream"],
    ["its own wake stream", { ...PULL, streams: ["wake/pool"] }, "streams"],
    ["no webhook", { ...HOOK, webhook: undefined }, "webhook.url"],
    ["a webhook that is no URL", { ...HOOK, webhook: { url: 1 } }, "webhook.url"],
    ["a lease that is too short", { ...PULL, lease_ttl_ms: 999 }, "lease_ttl_ms"],
    ["a lease that is too long", { ...PULL, lease_ttl_ms: 600_001 }, "lease_ttl_ms"],
    ["a lease that is no number", { ...PULL, lease_ttl_ms: "1000" }, "lease_ttl_ms"],
    ["a lease with a fraction", { ...PULL, lease_ttl_ms: 1_000.5 }, "lease_ttl_ms"],
    ["a description that is no text", { ...PULL, description: {} }, "description"],
    ["a description that is too long", { ...PULL, description: "x".repeat(4_097) }, "description"],
  ])("gets 400 for %s, naming the field", async (_what, body, field) => {
    const { status, body: answer } = await streams.control("PUT", "subscriptions/bad", { body });
    expect(status).toBe(400);
    expect(answer.error).toMatchObject({ code: "INVALID_REQUEST", field });
    expect(answer.error.message).not.toBe("");
  });

  it("gets 400 for a wake stream that is not JSON", async () => {
    await fetch(`${server.url}/ds/wake/text`, { method: "PUT", headers: { "content-type": "text/plain" } });
    const body = { ...PULL, wake_stream: "wake/text" };
    expect(await streams.control("PUT", "subscriptions/bad", { body })).toMatchObject({
      status: 400,
      body: { error: { code: "INVALID_REQUEST", field: "wake_stream" } },
    });
  });

  it.each(["", "%ff", "a%00b", "a".repeat(257)])("gets no subscription for the id `%s`", async (id) => {
    const { status } = await streams.control("PUT", `subscriptions/${id}`, { body: PULL });
    expect(status).toBe(400);
  });

  it("gets 413 for a body that is too big", async () => {
    const body = { ...PULL, description: "x".repeat(2 * 1_024 * 1_024) };
    expect(await streams.control("PUT", "subscriptions/bad", { body })).toMatchObject({
      status: 413,
      body: { error: { code: "TOO_BIG" } },
    });
  });

  it("gets 400 or 401 on the way of a wake, and the wake goes on", async () => {
    await streams.create("wake/bad");
    const pull = { ...PULL, pattern: "bad/*", wake_stream: "wake/bad" };
    await streams.control("PUT", "subscriptions/wake", { body: pull });
    await streams.create("bad/a", "[1]");
    for (const worker of [undefined, "", 1, "x".repeat(257)]) {
      const answer = await streams.control("POST", "subscriptions/wake/claim", { body: { worker } });
      expect(answer).toMatchObject({ status: 400, body: { error: { field: "worker" } } });
    }
    const { body } = await streams.control("POST", "subscriptions/wake/claim", { body: { worker: "w" } });
    const { token, wake_id, generation } = body;
    const good = { wake_id, generation };
    for (const [bad, field] of [
      ["{", "body"],
      [{ generation }, "wake_id"],
      [{ wake_id }, "generation"],
      [{ ...good, generation: "1" }, "generation"],
      [{ ...good, done: 1 }, "done"],
      [{ ...good, acks: {} }, "acks"],
      [{ ...good, acks: [1] }, "acks[0]"],
      [{ ...good, acks: [{ offset: "x" }] }, "acks[0].stream"],
      [{ ...good, acks: [{ stream: "bad/a", offset: "-1" }] }, "acks[0].offset"],
      [{ ...good, acks: [{ stream: "bad/a" }] }, "acks[0].offset"],
    ] as const) {
      const answer = await streams.control("POST", "subscriptions/wake/ack", { token, body: bad });
      expect(answer, JSON.stringify(bad)).toMatchObject({ status: 400, body: { error: { field } } });
    }
    expect(await streams.control("POST", "subscriptions/wake/callback", { token, body: good })).toMatchObject(
      {
        status: 400,
        body: { error: { field: "type" } },
      },
    );
    const beyond = { ...good, acks: [{ stream: "bad/a", offset: "9999999999999999_9999999999999999" }] };
    expect(await streams.control("POST", "subscriptions/wake/ack", { token, body: beyond })).toMatchObject({
      status: 409,
      body: { error: { code: "INVALID_OFFSET" } },
    });
    expect(await streams.control("POST", "subscriptions/wake/ack", { token, body: good })).toMatchObject({
      status: 200,
    });
  });
});

/** Sends a request that no client would, and resolves with all that comes back. */
function rawRequest({ hostname, port }: URL, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => (answer += text));
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
    socket.write(lines.join("\r\n"));
  });
}
