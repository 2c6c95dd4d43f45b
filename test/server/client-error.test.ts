import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

let certificates: TestCertificates;
let secure: TestServer;
let secureWithoutHttp2: TestServer;
let plain: TestServer;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  const limits = { maxHeaderBytes: 8_192, handshakeTimeoutMs: 1_000 };
  const options = { channels: { chat: PUBLIC_ROOMS }, limits };
  secure = await startTestServer({ ...options, tls: certificates.tls, http2: true });
  secureWithoutHttp2 = await startTestServer({ ...options, tls: certificates.tls, http2: false });
  plain = await startTestServer(options);
});
afterAll(async () => {
  await Promise.all([secure, secureWithoutHttp2, plain].map((server) => server[Symbol.asyncDispose]()));
  await certificates[Symbol.asyncDispose]();
});

function dial(server: TestServer): Socket {
  return connectTcp(Number(new URL(server.url).port), "127.0.0.1");
}

function dialTls(server: TestServer): Socket {
  return connectTls({
    port: Number(new URL(server.url).port),
    host: "127.0.0.1",
    servername: "localhost",
    ca: certificates.caPem,
    ALPNProtocols: ["http/1.1"],
  });
}

/** Everything that comes until the server ends the connection. */
async function readToEnd(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (chunk) => (received += String(chunk)));
  socket.on("error", () => {});
  if (!socket.closed) await once(socket, "close");
  return received;
}

const HEAD = "GET /channels/chat HTTP/1.1\r\nhost: localhost\r\n";

describe.each([
  ["a plain port", () => dial(plain)],
  ["a TLS port", () => dialTls(secure)],
  ["a TLS port without HTTP/2", () => dialTls(secureWithoutHttp2)],
  ["a TLS port, in plain HTTP", () => dial(secure)],
])("over HTTP/1.1 to %s", (_, open) => {
  it.concurrent.each([
    ["a head over the limit", `${HEAD}x-big: ${"x".repeat(100_000)}\r\n\r\n`, 431],
    ["a head that is none", "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400],
    ["a head that never ends", `${HEAD}x-slow: `, 408],
  ])("%s is answered, and the connection closed", async (_name, bytes, status) => {
    const socket = open();
    socket.write(bytes);
    const answer = await readToEnd(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nconnection: close\r\n\r\n$`, "i"));
  });
});

it.each([
  ["a plain port", () => dial(plain)],
  ["a TLS port", () => dialTls(secure)],
])("says nothing in the middle of an answer, over %s", async (_, open) => {
  const socket = open();
  socket.write(`${HEAD}\r\n`);
  const [first] = (await once(socket, "data")) as [Buffer];
  expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
  socket.write("this is no request\r\n\r\n");
  expect(await readToEnd(socket)).not.toContain("HTTP/1.1");
});
