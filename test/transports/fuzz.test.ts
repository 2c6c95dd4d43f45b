import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dial, readUntil } from "../support/raw-connection.ts";
import { encodeClientFrame, encodeClose, OPCODE, openRawWebSocket } from "../support/raw-websocket.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const RUNS = { numRuns: 300 } as const;
const TIMEOUT_MS = 120_000;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      read: { public: true },
      guarded: { auth: { headerName: "authorization" } },
    },
    limits: { maxMessageBytes: 1_000, handshakeTimeoutMs: 1_000, authFrameWaitMs: 200 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Nothing went wrong in the server, and it serves on. */
async function expectUnharmed(): Promise<void> {
  expect(server.logged.filter(({ level }) => level === "error")).toEqual([]);
  const { send, control, close } = await openWebSocket(`${server.url}/channels/chat?room=after`);
  send({ type: "m", data: 1, ref: 1 });
  expect(await control({ ref: 1 })).toMatchObject({ control: "ack" });
  close();
}

const json = fc.oneof(
  fc.json(),
  fc
    .record(
      {
        type: fc.jsonValue(),
        data: fc.jsonValue(),
        ref: fc.jsonValue(),
        key: fc.jsonValue(),
        from: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((frame) => JSON.stringify(frame)),
  fc
    .record({ control: fc.constantFrom("auth", "pong", "ready", "ack"), token: fc.jsonValue() })
    .map((frame) => JSON.stringify(frame)),
);
const payload = fc.oneof(
  { weight: 4, arbitrary: json },
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
const goodFrame = payload.map((bytes) => encodeClientFrame({ payload: bytes }));
const oddFrame = fc
  .record({
    opcode: fc.nat({ max: 15 }),
    isFinal: fc.boolean(),
    reserved: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat({ max: 7 })),
    isMasked: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
    payload,
  })
  .map(encodeClientFrame);
const frames = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: goodFrame },
    { weight: 3, arbitrary: oddFrame },
    fc.nat({ max: 2 ** 31 }).map((claimedLength) => encodeClientFrame({ claimedLength, payload: "x" })),
    fc.integer({ min: 0, max: 65_535 }).map((code) => encodeClose(code)),
    fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  ),
  { maxLength: 12 },
);

it(
  "whatever frames come, in whatever pieces, the connection ends when its peer leaves, and nothing else happens",
  async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.integer({ min: 1, max: 400 }), async (sent, pieceBytes) => {
        const raw = await openRawWebSocket(server, "/channels/chat");
        const bytes = Buffer.concat(sent);
        for (let index = 0; index < bytes.length && raw.socket.writable; index += pieceBytes) {
          raw.socket.write(bytes.subarray(index, index + pieceBytes));
        }
        raw.socket.end();
        await raw.closed;
        for (const { opcode } of raw.frames()) {
          expect([OPCODE.text, OPCODE.close, OPCODE.pong]).toContain(opcode);
        }
      }),
      RUNS,
    );
    await expectUnharmed();
  },
  TIMEOUT_MS,
);

const token = fc.stringMatching(/^[A-Za-z-]{1,12}$/);
const name = fc.oneof(
  fc.constantFrom(
    "chat",
    "read",
    "guarded",
    "nope",
    "",
    "authorize",
    "chat/messages",
    "../chat",
    "%2e%2e/chat",
    "chat%00",
  ),
  fc.string({ unit: "binary-ascii", maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 10 }).map((text) => encodeURI(text)),
);
const query = fc.oneof(
  fc.constant(""),
  fc
    .array(
      fc.tuple(
        fc.constantFrom("room", "last_message_id", "rewind", "token", "romo", "", "%"),
        fc.oneof(fc.constantFrom("start", "10", "-1", "10m", "1e9", "%", "%ff"), fc.webQueryParameters()),
      ),
      { maxLength: 4 },
    )
    .map((pairs) => `?${pairs.map((pair) => pair.join("=")).join("&")}`),
);
const prefix = fc.constantFrom(
  "/channels/",
  "/channels/",
  "/channels/",
  "//channels/",
  "/Channels/",
  "/%63hannels/",
  "http://a/channels/",
  "/x/../channels/",
);
const header = fc.tuple(
  fc.oneof(
    fc.constantFrom(
      "last-event-id",
      "origin",
      "authorization",
      "cookie",
      "idempotency-key",
      "content-type",
      "expect",
      "te",
      "sec-websocket-protocol",
      "x-forwarded-for",
      "host",
    ),
    token.filter((text) => !/^(?:content-length|transfer-encoding)$/i.test(text)),
  ),
  fc.oneof(
    fc.constantFrom(
      "start",
      "Bearer x",
      "https://evil.example",
      "application/json",
      "100-continue",
      "chanctl.v1, bearer.x",
      ",,",
      "",
    ),
    fc.string({ unit: "binary-ascii", maxLength: 40 }),
    fc.string({ unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
  ),
);
const ending = fc.oneof(
  { weight: 3, arbitrary: fc.constant("\r\n") },
  fc.constant(
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ),
  fc.constant("connection: upgrade\r\nupgrade: h2c\r\n\r\n"),
  json.map(
    (body) => `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ),
  json.map(
    (body) =>
      `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ),
);
const request = fc
  .record({
    method: fc.oneof(fc.constantFrom("GET", "GET", "POST", "OPTIONS", "HEAD", "CONNECT", "TRACE"), token),
    target: fc.tuple(prefix, name, query).map((parts) => parts.join("")),
    version: fc.constantFrom("1.1", "1.1", "1.1", "1.0", "2.0", "9"),
    headers: fc.array(header, { maxLength: 5 }),
    ending,
  })
  .map(({ method, target, version, headers, ending: rest }) => {
    const lines = headers.map((pair) => `${pair.join(": ")}\r\n`);
    return `${method} ${target} HTTP/${version}\r\nhost: localhost\r\n${lines.join("")}${rest}`;
  });

it(
  "whatever a request to a channel's URL looks like, it is answered, and never with a 500",
  async () => {
    await fc.assert(
      fc.asyncProperty(request, async (text) => {
        const socket = await dial(server);
        socket.write(text, "latin1");
        const isAnswered = (received: string): boolean => /^HTTP\/1\.1 (?!100)\d{3} /m.test(received);
        const answer = await readUntil(socket, isAnswered);
        socket.destroy();
        expect(answer).toMatch(/^HTTP\/1\.1 (?!100)\d{3} /m);
        expect(answer).not.toMatch(/^HTTP\/1\.1 500 /m);
      }),
      RUNS,
    );
    await expectUnharmed();
  },
  TIMEOUT_MS,
);
