import * as fc from "fast-check";
import { Pool } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signStream } from "#src/auth/signed-stream.ts";
import { PUBLIC_ROOMS } from "../../support/server.ts";
import { startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const RUNS = 1_000;
/** Far beyond what any answer takes, a long-poll's included: only what hangs reaches it. */
const HANG_MS = 15_000;

/** What could be anything: short texts of all that a header or a path may carry. */
const noise = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 24,
});
const latin = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 24,
});
const long = fc.integer({ min: 200, max: 3_000 }).map((length) => "9".repeat(length));

const offset = fc.oneof(
  fc.constantFrom(
    "-1",
    "now",
    "0000000000000000_0000000000000000",
    "9999999999999999_9999999999999999",
    "",
    "-2",
    "0",
    "1_1",
    "NOW",
  ),
  fc
    .tuple(fc.nat(5), fc.nat(20))
    .map(([life, position]) => `${String(life).padStart(16, "0")}_${String(position).padStart(16, "0")}`),
  noise,
  long,
);
const count = fc.oneof(
  fc.constantFrom("0", "1", "2", "-1", "01", "1.0", "1e3", "9007199254740991", "9007199254740992", ""),
  noise,
  long,
);
const type = fc.constantFrom(
  "text/plain",
  "application/json",
  "application/octet-stream",
  "TEXT/PLAIN; charset=utf-8",
  "text",
  "/",
  "a/b/c",
  "",
  ";",
  "application/json;",
);
const flag = fc.constantFrom("true", "TRUE", "false", "1", "");
const known = fc.constantFrom(
  "fuzz/text",
  "fuzz/json",
  "fuzz/bytes",
  "fuzz/closed",
  "fuzz/new",
  "chat",
  "chat/room=a",
  "chat/room=a/room=b",
  "chat/x",
  "news",
  "strict",
);
const path = fc.oneof(
  { weight: 8, arbitrary: known },
  fc.constantFrom(
    "",
    "/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "%2e%2e/b",
    "%",
    "%zz",
    "%ff",
    "%00",
    "%0a",
    "%e0%80",
    "a%2fb",
    "__ds",
    "__ds/x",
    "__ds/jwks.json",
    "__ds/subscriptions/s1",
    "__ds/subscriptions/s1/claim",
    "__ds/subscriptions/s1/ack",
    "__ds/subscriptions/s1/streams",
    "%5f_ds/x",
  ),
  noise.map((text) => text.replaceAll(/[?#]/g, "")),
  noise.map((text) => encodeURIComponent(text)),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).map((text) => encodeURIComponent(text)),
  long,
);
const method = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS") },
  { weight: 1, arbitrary: fc.constantFrom("PATCH", "TRACE", "PROPFIND", "QUERY", "LOCK", "M-SEARCH") },
);
const source = fc.oneof(
  path.map((name) => `/ds/${name}`),
  fc.constantFrom("/ds/fuzz/json", "/ds/fuzz/closed", "/", "/channels/chat", "http://x/ds/a", "?"),
  noise,
);

/** Each header with what it is sent with: at times right, mostly not. */
const HEADERS = {
  "content-type": fc.oneof({ weight: 4, arbitrary: type }, { weight: 1, arbitrary: noise }),
  "stream-ttl": count,
  "stream-expires-at": fc.oneof(
    fc.constantFrom(
      "2099-01-01T00:00:00Z",
      "2001-01-01T00:00:00Z",
      "2099-13-01T00:00:00Z",
      "2099-01-01",
      "now",
    ),
    noise,
  ),
  "stream-closed": fc.oneof(flag, noise),
  "stream-seq": fc.oneof(latin, long),
  "producer-id": fc.oneof(fc.constantFrom("p", ""), latin, long),
  "producer-epoch": count,
  "producer-seq": count,
  "stream-forked-from": source,
  "stream-fork-offset": offset,
  "stream-fork-sub-offset": count,
  "if-none-match": fc.oneof(fc.constantFrom("*", '""', 'W/"x"', '"a", "b"', ",,,"), latin),
  "idempotency-key": fc.oneof(fc.constant(""), latin, long),
  "x-jid": fc.oneof(fc.constantFrom("a.b.c", "eyJhbGciOiJub25lIn0.e30."), noise),
  authorization: fc.oneof(fc.constantFrom("Bearer", "Bearer a.b.c", "Basic x", "bearer  x "), noise),
  "x-signed": fc.oneof(
    fc.constantFrom(signStream("fuzz/text", "s3cret"), signStream("chat", "s3cret"), "--", "a--b"),
    noise,
  ),
  origin: fc.oneof(fc.constantFrom("https://page.example", "null", "https://", "file://"), noise),
  cookie: latin,
  "access-control-request-method": fc.oneof(method, noise),
};
const QUERY = {
  offset: fc.oneof({ weight: 3, arbitrary: offset }, { weight: 1, arbitrary: latin }),
  live: fc.oneof(fc.constantFrom("long-poll", "sse", "", "LONG-POLL", "true"), noise),
  cursor: fc.oneof(count, noise),
  signed: fc.oneof(fc.constantFrom(signStream("fuzz/text", "s3cret"), "--", ""), noise),
  jid: noise,
  token: noise,
  other: noise,
};
const body = fc.oneof(
  fc.constantFrom(
    "",
    "x",
    "{",
    "[]",
    "[[]]",
    "null",
    "[1,2]",
    '{"type":"a","data":1}',
    '[{"type":"a","data":1}]',
    '{"type":1}',
    "\u00a0",
    "[".repeat(5_000),
  ),
  fc.json(),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);

const requests = fc.record({
  method,
  path,
  headers: pick(HEADERS, 4),
  query: pick(QUERY, 2),
  repeated: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(QUERY)) },
  ),
  body: fc.option(body, { nil: undefined }),
});

/** The same without what settles a request before anything else of it matters. */
const unsigned = requests.map(({ headers, query, repeated, ...rest }) => ({
  ...rest,
  headers: without(headers, "x-signed"),
  query: without(query, "signed"),
  repeated: repeated === "signed" ? undefined : repeated,
}));

function without(fields: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
}

type FuzzRequest = typeof requests extends fc.Arbitrary<infer Value> ? Value : never;

/** Some of the fields of a record. */
function pick(
  fields: Readonly<Record<string, fc.Arbitrary<string>>>,
  maxLength: number,
): fc.Arbitrary<Record<string, string>> {
  const one = fc
    .constantFrom(...Object.keys(fields))
    .chain((name) => (fields[name] ?? fc.constant("")).map((value) => [name, value] as const));
  return fc.array(one, { maxLength }).map((entries) => Object.fromEntries(entries));
}

const MODES = [
  ["open", { streams: { publicStreams: true, publicWrites: true } }],
  ["open, shown tokens", { streams: { publicStreams: true, publicWrites: true }, streamsSecret: "s3cret" }],
  ["closed", { streamsSecret: "s3cret" }],
  ["that asks for tokens", { streamsSecret: "s3cret", jwt: { key: "k", algorithms: ["HS256"] } }],
] as const;

const STREAMS: Readonly<Record<string, RequestInit>> = {
  "fuzz/text": { headers: { "content-type": "text/plain" }, body: "hello" },
  "fuzz/json": { headers: { "content-type": "application/json" }, body: "[1,2,3]" },
  "fuzz/bytes": { headers: { "content-type": "image/png" }, body: "\u0000\u0001" },
  "fuzz/closed": { headers: { "content-type": "text/plain", "stream-closed": "true" }, body: "end" },
};

/** Makes a stream; it may be there. */
async function make(server: StreamServer, name: string): Promise<void> {
  await server.asApp(name, { method: "PUT", ...STREAMS[name] });
}

describe.each(MODES)("a server that is %s", (name, options) => {
  let server: StreamServer;
  let pool: Pool;
  beforeAll(async () => {
    const strict = { ...PUBLIC_ROOMS, messages: { a: { type: "number" } } };
    server = await startStreamServer({
      channels: { chat: PUBLIC_ROOMS, news: { public: true }, strict },
      ...options,
    });
    for (const stream of Object.keys(STREAMS)) await make(server, stream);
    pool = new Pool(server.url, { connections: 16 });
  });
  afterAll(async () => {
    await pool.destroy();
    await server[Symbol.asyncDispose]();
  });

  it("answers whatever is asked in the protocol's way: no 5xx, nothing that hangs, each error with what is wrong", async () => {
    await fc.assert(
      fc.asyncProperty(name === "open" ? unsigned : requests, async (request) => {
        await check(pool, request);
        if (request.method === "DELETE" && Object.hasOwn(STREAMS, request.path))
          await make(server, request.path);
      }),
      { numRuns: RUNS },
    );
    expect(server.logged.filter(({ event }) => event === "bug")).toEqual([]);
  });

  it("gives no stream to the internal listener's stranger", async () => {
    const internal = new Pool(server.internalUrl, { connections: 4 });
    const denied = fc.asyncProperty(requests, async (request) => {
      const { statusCode, body: answer } = await send(internal, request);
      await answer.dump();
      expect(statusCode).toBe(401);
    });
    await fc.assert(denied, { numRuns: 200 });
    await internal.destroy();
  });
});

function send(pool: Pool, request: FuzzRequest): ReturnType<Pool["request"]> {
  const query = new URLSearchParams(request.query);
  if (request.repeated !== undefined) query.append(request.repeated, "again");
  return pool.request({
    method: request.method,
    path: `/ds/${request.path}?${query.toString()}`,
    headers: request.headers,
    ...(request.body === undefined || request.method === "TRACE" ? {} : { body: request.body }),
    headersTimeout: HANG_MS,
    bodyTimeout: HANG_MS,
  });
}

async function check(pool: Pool, request: FuzzRequest): Promise<void> {
  const { statusCode, headers, body: answer } = await send(pool, request);
  const isEvents = headers["content-type"] === "text/event-stream";
  if (isEvents) answer.destroy();
  const text = isEvents ? "" : await answer.text();
  expect(statusCode).toBeLessThan(500);
  expect(headers["x-content-type-options"]).toBe("nosniff");
  expect(headers["vary"]).toBeDefined();
  if (statusCode === 405) expect(headers["allow"]).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  if (statusCode === 401) expect(headers["www-authenticate"]).toMatch(/^Bearer/);
  if (statusCode < 400) return;
  const isControl =
    decodeURIComponent(request.path.split("/", 1)[0]?.replaceAll(/%(?!5f)/g, "") ?? "") === "__ds";
  expect(headers["content-type"]).toBe(isControl ? "application/json" : "application/problem+json");
  expect(headers["cache-control"]).toBe("no-store");
  if (request.method === "HEAD") {
    expect(text).toBe("");
    return;
  }
  const problem = JSON.parse(text) as Record<string, unknown>;
  if (isControl) {
    expect(problem["error"]).toMatchObject({
      code: expect.any(String),
      message: expect.stringMatching(/\S/),
    });
    return;
  }
  expect(problem).toMatchObject({ status: statusCode, code: expect.any(String), title: expect.any(String) });
  expect(problem["detail"]).toMatch(/\S/);
}
