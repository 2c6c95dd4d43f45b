import { once } from "node:events";
import { request as request1 } from "node:http";
import { connect as connect2 } from "node:http2";
import { connect as connectNet } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signStream } from "#src/auth/signed-stream.ts";
import { makeTestCertificates } from "../../support/certificates.ts";
import { jsonBody, PUBLIC_ROOMS } from "../../support/server.ts";
import { createText, outcomeOf, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const PAGE = "https://page.example";
const STRANGER = "https://stranger.example";
const SECRET = "s3cret";

/** Every request header of the protocol, and those of its callers. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-none-match",
  "producer-epoch",
  "producer-id",
  "producer-seq",
  "stream-closed",
  "stream-expires-at",
  "stream-fork-offset",
  "stream-fork-sub-offset",
  "stream-forked-from",
  "stream-seq",
  "stream-ttl",
  "x-jid",
  "x-signed",
];
const EXPOSED_HEADERS = [
  "etag",
  "location",
  "producer-epoch",
  "producer-expected-seq",
  "producer-received-seq",
  "producer-seq",
  "retry-after",
  "stream-closed",
  "stream-cursor",
  "stream-expires-at",
  "stream-next-offset",
  "stream-sse-data-encoding",
  "stream-ttl",
  "stream-up-to-date",
];

let closed: StreamServer;
let open: StreamServer;
beforeAll(async () => {
  const channels = { chat: PUBLIC_ROOMS, guarded: { auth: { headerName: "X-Key" } } };
  const options = { channels, allowedOrigins: [PAGE], streamsSecret: SECRET };
  closed = await startStreamServer(options);
  open = await startStreamServer({ ...options, streams: { publicStreams: true } });
  for (const server of [closed, open]) await createText(server, "jobs/1");
});
afterAll(async () => {
  await closed[Symbol.asyncDispose]();
  await open[Symbol.asyncDispose]();
});

const listed = (response: Response, name: string): string[] =>
  (response.headers.get(name) ?? "").split(", ").filter(Boolean).toSorted();

/** What a page of an origin is told by an answer. */
function told(response: Response): Record<string, string | null> {
  return {
    origin: response.headers.get("access-control-allow-origin"),
    credentials: response.headers.get("access-control-allow-credentials"),
  };
}

const FOR_ALL = { origin: "*", credentials: null };
const FOR_PAGE = { origin: PAGE, credentials: "true" };
const FOR_NOBODY = { origin: null, credentials: null };

describe("a preflight", () => {
  const preflight = (url: string, origin: string, method: string): Promise<Response> =>
    fetch(url, { method: "OPTIONS", headers: { origin, "access-control-request-method": method } });

  it.each([
    ["closed", "GET", PAGE, FOR_PAGE],
    ["closed", "GET", STRANGER, FOR_NOBODY],
    ["open", "GET", STRANGER, FOR_ALL],
    ["open", "HEAD", STRANGER, FOR_ALL],
    ["open", "POST", STRANGER, FOR_NOBODY],
    ["open", "POST", PAGE, FOR_PAGE],
  ] as const)(
    "of a server that is %s, for a %s from %s, is answered",
    async (which, method, origin, expected) => {
      const server = which === "open" ? open : closed;
      const response = await preflight(server.streamUrl("jobs/1"), origin, method);
      expect(response.status).toBe(204);
      expect(told(response)).toEqual(expected);
      expect(listed(response, "access-control-allow-headers")).toEqual(REQUEST_HEADERS);
      expect(response.headers.get("access-control-allow-methods")).toBe("GET, HEAD, PUT, POST, DELETE");
    },
  );

  it("of a channel's stream names its methods and its header; what is no stream is answered, too", async () => {
    const response = await preflight(closed.streamUrl("guarded"), PAGE, "GET");
    expect(response.headers.get("access-control-allow-methods")).toBe("GET, HEAD, PUT, POST");
    expect(listed(response, "access-control-allow-headers")).toContain("x-key");
    expect((await preflight(closed.streamUrl("a//b"), PAGE, "GET")).status).toBe(204);
  });

  it("names the header that `jwt.param` renames", async () => {
    const jwt = { key: "s", algorithms: ["HS256"], param: "Pass" } as const;
    await using renamed = await startStreamServer({ jwt });
    const response = await preflight(renamed.streamUrl("jobs/1"), PAGE, "GET");
    const names = listed(response, "access-control-allow-headers");
    expect(names).toContain("x-pass");
    expect(names).not.toContain("x-jid");
  });
});

describe("an answer", () => {
  it("that anyone may have is for every page, without credentials", async () => {
    const response = await fetch(open.streamUrl("jobs/1"), { headers: { origin: STRANGER } });
    expect(response.status).toBe(200);
    expect(told(response)).toEqual(FOR_ALL);
    for (const name of EXPOSED_HEADERS)
      expect(listed(response, "access-control-expose-headers")).toContain(name);
  });

  it("that anyone may have who shows a JWT is told apart by the headers that hold one", async () => {
    const jwt = { key: "s", algorithms: ["HS256"] } as const;
    await using known = await startStreamServer({ jwt, streams: { publicStreams: true } });
    await createText(known, "jobs/1");
    const refused = await fetch(known.streamUrl("jobs/1"));
    expect([refused.status, refused.headers.get("vary")]).toEqual([401, "authorization, x-jid, x-signed"]);
    const anyone = await fetch(open.streamUrl("jobs/1"));
    expect([anyone.status, anyone.headers.get("vary")]).toEqual([200, "x-signed"]);
  });

  it("that not everyone may have is for the pages that are allowed; others are refused", async () => {
    const page = { origin: PAGE };
    const read = await fetch(closed.streamUrl("chat"), { headers: page });
    expect([read.status, told(read)]).toEqual([200, FOR_PAGE]);
    for (const name of EXPOSED_HEADERS) expect(listed(read, "access-control-expose-headers")).toContain(name);
    expect(read.headers.get("vary")).toBe("origin, cookie, authorization, x-jid, x-signed");
    for (const name of ["chat", "jobs/1"]) {
      const refused = await fetch(closed.streamUrl(name), { headers: { origin: STRANGER } });
      expect(told(refused)).toEqual(FOR_NOBODY);
      expect(await outcomeOf(refused)).toEqual([403, "origin_forbidden"]);
    }
    const append = { ...jsonBody('{"type":"a","data":1}', { origin: STRANGER }) };
    expect(await outcomeOf(await fetch(open.streamUrl("chat"), append))).toEqual([403, "origin_forbidden"]);
  });

  it("that is an error can be read by the page, too", async () => {
    const response = await fetch(closed.streamUrl("jobs/1"), { headers: { origin: PAGE } });
    expect([response.status, told(response)]).toEqual([403, FOR_PAGE]);
    const unknown = await fetch(open.streamUrl("none"), { headers: { origin: STRANGER } });
    expect([unknown.status, told(unknown)]).toEqual([404, FOR_ALL]);
  });
});

describe("what may be kept (section 10.1)", () => {
  const cacheOf = async (response: Response): Promise<string | null> => {
    await response.body?.cancel();
    return response.headers.get("cache-control");
  };

  it("is public only where everyone may have it", async () => {
    const signed = { "x-signed": signStream("jobs/1", SECRET) };
    expect(await cacheOf(await fetch(open.streamUrl("jobs/1")))).toMatch(/^public, max-age=60/);
    expect(await cacheOf(await fetch(open.streamUrl("jobs/1"), { headers: signed }))).toMatch(
      /^private, max-age=60/,
    );
    expect(await cacheOf(await fetch(closed.streamUrl("jobs/1"), { headers: signed }))).toMatch(
      /^private, max-age=60/,
    );
    expect(await cacheOf(await closed.asApp("jobs/1"))).toMatch(/^private, max-age=60/);
    expect(await cacheOf(await fetch(closed.streamUrl("chat")))).toMatch(/^public/);
  });

  it("is private under `publicStreams` where every caller must show who they are", async () => {
    const { signJwt } = await import("#src/auth/sign-jwt.ts");
    const jwt = { key: "s", algorithms: ["HS256"] } as const;
    await using server = await startStreamServer({
      jwt,
      streams: { publicStreams: true },
      channels: { chat: PUBLIC_ROOMS },
    });
    await createText(server, "jobs/1");
    const headers = { "x-jid": await signJwt({ streams: [], expiresAt: Date.now() + 3_600_000 }, "s") };
    for (const name of ["jobs/1", "chat"])
      expect(await cacheOf(await fetch(server.streamUrl(name), { headers }))).toMatch(/^private/);
  });

  it("is never an error", async () => {
    for (const name of ["none", "jobs/1?offset=x", "a//b", "chat/x"])
      expect(await cacheOf(await fetch(open.streamUrl(name)))).toBe("no-store");
  });
});

describe("every answer (section 12.7)", () => {
  it.each<[string, RequestInit]>([
    ["jobs/1", {}],
    ["jobs/1", { method: "HEAD" }],
    ["jobs/1", { method: "OPTIONS" }],
    ["jobs/1", { method: "PATCH" }],
    ["jobs/1", { method: "DELETE" }],
    ["jobs/1?offset=-1&live=sse", {}],
    ["jobs/1?offset=now&live=long-poll", {}],
    ["none", {}],
    ["a//b", {}],
  ])("of %s %j is not sniffed, and is nobody's page", async (name, init) => {
    const response = await fetch(open.streamUrl(name), init);
    await response.body?.cancel();
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
  });

  it("may be embedded by other sites only where everyone may have it", async () => {
    const policy = "cross-origin-resource-policy";
    expect((await fetch(open.streamUrl("jobs/1"))).headers.get(policy)).toBe("cross-origin");
    expect((await fetch(closed.streamUrl("chat"))).headers.get(policy)).toBe("same-origin");
  });

  it("to a HEAD has no body, errors too, over HTTP/1.1", async () => {
    for (const name of ["jobs/1", "none", "a//b", "chat/x"]) {
      const { hostname, port } = new URL(open.url);
      const socket = connectNet(Number(port), hostname);
      socket.end(`HEAD /ds/${name} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\n\r\n`);
      let answer = "";
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1\.1 \d{3} [^]*\r\n\r\n$/);
    }
  });

  it("to a HEAD has no body, errors too, over HTTP/2", async () => {
    await using certificates = await makeTestCertificates();
    await using secure = await startStreamServer({
      tls: certificates.tls,
      http2: true,
      streams: { publicStreams: true },
    });
    await createText(secure, "jobs/1");
    const session = connect2(secure.url, { ca: certificates.caPem });
    for (const [name, status] of [
      ["jobs/1", 200],
      ["none", 404],
      ["a//b", 400],
    ] as const) {
      const stream = session.request({ ":method": "HEAD", ":path": `/ds/${name}` });
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      expect(headers[":status"]).toBe(status);
      let bytes = 0;
      for await (const chunk of stream) bytes += Buffer.byteLength(String(chunk));
      expect(bytes).toBe(0);
    }
    session.close();
  });

  it("to an upgrade is a refusal, and the app does not see it", async () => {
    const headers = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const status = await new Promise((resolve, reject) => {
      const asked = request1(open.streamUrl("jobs/1"), { headers });
      asked
        .on("response", ({ statusCode }) => resolve(statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(400);
  });
});
