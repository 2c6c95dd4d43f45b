import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";

/** Long enough for an honest client of these tests, who does nothing but connect. */
const HANDSHAKE_TIMEOUT_MS = 3_000;

let certificates: TestCertificates;
let secure: TestServer;
let plain: TestServer;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  const options = { channels: { chat: PUBLIC_ROOMS }, limits: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS } };
  secure = await startTestServer({ ...options, tls: certificates.tls, http2: true });
  plain = await startTestServer(options);
});
afterAll(async () => {
  await Promise.all([secure, plain].map((server) => server[Symbol.asyncDispose]()));
  await certificates[Symbol.asyncDispose]();
});

function dial(server: TestServer): Socket {
  return connectTcp(Number(new URL(server.url).port), "127.0.0.1");
}

async function dialTls(protocol: string): Promise<Socket> {
  const socket = connectTls({
    port: Number(new URL(secure.url).port),
    host: "127.0.0.1",
    servername: "localhost",
    ca: certificates.caPem,
    ALPNProtocols: [protocol],
  });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe(protocol);
  return socket;
}

/** Resolves when the server has ended the connection. */
async function cutOff(socket: Socket): Promise<void> {
  socket.on("error", () => {}).resume();
  if (!socket.closed) await once(socket, "close");
}

const HALF_HEAD = "GET /channels/chat HTTP/1.1\r\nhost: localhost\r\nx-slow: ";

describe("a connection is cut off that", () => {
  it.concurrent.each([
    ["says nothing, to a plain port", () => dial(plain), ""],
    ["never ends its request's head, to a plain port", () => dial(plain), HALF_HEAD],
    ["says nothing, to a TLS port", () => dial(secure), ""],
    ["begins a TLS handshake and no more", () => dial(secure), "\u0016\u0003\u0001"],
    ["speaks plain HTTP to a TLS port and never ends its head", () => dial(secure), HALF_HEAD],
    ["says nothing after the TLS handshake", () => dialTls("http/1.1"), ""],
    ["never ends its request's head within TLS", () => dialTls("http/1.1"), HALF_HEAD],
    ["says nothing in HTTP/2", () => dialTls("h2"), ""],
    [
      "begins HTTP/2 and never a request",
      () => dialTls("h2"),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0",
    ],
  ])("%s", async (_, open, bytes) => {
    const socket = await open();
    socket.write(bytes, "latin1");
    await cutOff(socket);
  });
});

it("does not cut off a body that takes its time", async () => {
  const body = '{"type":"m","data":1}';
  const upload = dial(plain);
  upload.write(
    "POST /channels/chat/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n{`,
  );
  const silent = dial(plain);
  await cutOff(silent); // by then the upload's time would be over, too
  upload.write(body.slice(1));
  let answer = "";
  for await (const chunk of upload) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

it("goes on serving while thousands hang half-open", async () => {
  const half = Array.from({ length: 2_000 }, (_, index) => {
    const socket = dial(index % 2 === 0 ? plain : secure);
    socket.on("error", () => {}).write(index % 3 === 0 ? HALF_HEAD : "\u0016");
    return socket;
  });
  for (const socket of half) if (socket.connecting) await once(socket, "connect");
  const response = await fetch(`${plain.url}/channels/nope`);
  expect(response.status).toBe(404);
  await Promise.all(half.map(cutOff));
});
