import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** Types of frames (RFC 9113, section 6). */
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const GOAWAY = 7;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;
const FRAME_HEAD_BYTES = 9;
/** How many streams a client may have open: Node's own limit is none, nghttp2's of 100 is what is left. */
const STREAMS = 100;
const MIB = 1_048_576;

let certificates: TestCertificates;
let app: FixtureApp;
let server: TestServer;
let calls = 0;
let written = 0;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  app = await startFixtureApp((request, response) => {
    calls += 1;
    if (request.url !== "/big") {
      response.end("well");
      return;
    }
    const chunk = Buffer.alloc(65_536);
    const write = (): void => {
      do written += chunk.length;
      while (response.write(chunk));
    };
    response.on("drain", write);
    write();
  });
  server = await startTestServer({ app: { url: app.url }, tls: certificates.tls, http2: true });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

interface FrameParts {
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Buffer;
}

function frame(type: number, { flags = 0, stream = 0, payload = Buffer.alloc(0) }: FrameParts): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** `GET /` of HPACK (RFC 7541, appendix A). */
function requestBlock(): Buffer {
  const host = Buffer.from("localhost");
  return Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x01, host.length]), host]);
}

/** A client that writes frames as it likes. */
async function openRaw(): Promise<{ socket: TLSSocket; codes: number[] }> {
  const { port } = new URL(server.url);
  const options = { host: "127.0.0.1", port: Number(port), ca: certificates.caPem, servername: "localhost" };
  const socket = connectTls({ ...options, ALPNProtocols: ["h2"] });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => {}); // `close` follows
  const codes: number[] = [];
  let unread: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    while (unread.length >= FRAME_HEAD_BYTES) {
      const length = FRAME_HEAD_BYTES + unread.readUIntBE(0, 3);
      if (unread.length < length) break;
      if (unread[3] === GOAWAY) codes.push(unread.readUInt32BE(FRAME_HEAD_BYTES + 4));
      unread = unread.subarray(length);
    }
  });
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, {})]));
  return { socket, codes };
}

/** Waits until more can be written, or nothing any more. */
async function drained(socket: TLSSocket): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      socket.off("drain", end).off("close", end);
      resolve();
    };
    socket.on("drain", end).on("close", end);
  });
}

async function isWell(): Promise<boolean> {
  const session = connectHttp2(server.url, { ca: certificates.caPem });
  onTestFinished(() => session.destroy());
  return (await text(session.request({ ":path": "/" }))) === "well";
}

it("ends a session that resets its requests rapidly (CVE-2023-44487), and asks the app little", async () => {
  const { socket, codes } = await openRaw();
  const before = calls;
  const cancel = Buffer.alloc(4);
  cancel.writeUInt32BE(8);
  let id = 1;
  const RESETS = 20_000;
  for (let sent = 0; sent < RESETS && socket.writable; sent += 1) {
    socket.write(frame(HEADERS, { flags: END_HEADERS | END_STREAM, stream: id, payload: requestBlock() }));
    if (!socket.write(frame(RST_STREAM, { stream: id, payload: cancel }))) {
      await drained(socket);
    }
    id += 2;
  }
  await expect.poll(() => codes.length > 0 || socket.destroyed, { timeout: 20_000 }).toBe(true);
  expect(calls - before).toBeLessThan(RESETS / 10);
  expect(await isWell()).toBe(true);
});

it("ends a session whose headers never end (CONTINUATION flood)", async () => {
  const { socket } = await openRaw();
  socket.write(frame(HEADERS, { flags: END_STREAM, stream: 1, payload: requestBlock() }));
  // A literal header of 16,000 bytes that is not to be indexed.
  const junk = Buffer.concat([Buffer.from([0, 1, 0x78, 0x7f, 0x81, 0x7c]), Buffer.alloc(16_000, "a")]);
  const closed = once(socket, "close");
  let sent = 0;
  while (!socket.destroyed && sent < 10_000) {
    sent += 1;
    if (!socket.write(frame(CONTINUATION, { stream: 1, payload: junk }))) {
      await drained(socket);
    }
  }
  await closed;
  expect(sent).toBeLessThan(10_000);
  expect(await isWell()).toBe(true);
});

it("holds a bounded amount for a client that opens many streams and reads none", async () => {
  const session = connectHttp2(server.url, { ca: certificates.caPem });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  const before = calls;
  for (let stream = 0; stream < STREAMS; stream += 1) {
    session.request({ ":path": "/big" }).on("error", () => {});
  }
  await expect.poll(() => calls - before, { timeout: 20_000 }).toBe(STREAMS);
  let last = -1;
  // Until the app's sockets are full, it writes on.
  await expect
    .poll(() => written === last || void (last = written), { interval: 500, timeout: 20_000 })
    .toBe(true);
  expect(written / STREAMS).toBeLessThan(8 * MIB);
  expect(await isWell()).toBe(true);
});
