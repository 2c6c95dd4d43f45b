import { once } from "node:events";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { dial, dialTls, readToEnd } from "../support/raw-connection.ts";
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

const HEAD = "GET /channels/chat HTTP/1.1\r\nhost: localhost\r\n";

describe.each([
  ["a plain port", () => dial(plain)],
  ["a TLS port", () => dialTls(secure, { ca: certificates.caPem })],
  ["a TLS port without HTTP/2", () => dialTls(secureWithoutHttp2, { ca: certificates.caPem })],
  ["a TLS port, in plain HTTP", () => dial(secure)],
])("over HTTP/1.1 to %s", (_, open: () => Promise<Socket>) => {
  it.concurrent.each([
    ["a head over the limit", `${HEAD}x-big: ${"x".repeat(100_000)}\r\n\r\n`, 431, "head_too_big"],
    [
      "the head of an upgrade over the limit",
      `${HEAD}connection: upgrade\r\nupgrade: websocket\r\nx-big: ${"x".repeat(100_000)}\r\n\r\n`,
      431,
      "head_too_big",
    ],
    ["a head that is none", "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "malformed"],
    ["a head that never ends", `${HEAD}x-slow: `, 408, "request_timeout"],
  ])("%s is answered with a problem, and the connection closed", async (_name, bytes, status, code) => {
    const socket = await open();
    socket.write(bytes);
    const answer = await readToEnd(socket);
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nconnection: close\r\n`));
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });
});

it.each([
  ["a plain port", () => dial(plain)],
  ["a TLS port", () => dialTls(secure, { ca: certificates.caPem })],
])("says nothing in the middle of an answer, over %s", async (_, open: () => Promise<Socket>) => {
  const socket = await open();
  socket.write(`${HEAD}\r\n`);
  const [first] = (await once(socket, "data")) as [Buffer];
  expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
  socket.write("this is no request\r\n\r\n");
  expect(await readToEnd(socket)).not.toContain("HTTP/1.1");
});

it.each([
  ["a plain port", () => plain, () => dial(plain)],
  ["a TLS port", () => secure, () => dialTls(secure, { ca: certificates.caPem })],
])("a request that its client calls off is no malformed one, over %s", async (_, server, open) => {
  const head =
    "POST /channels/chat/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
  const refused = (): number => server().logged.filter(({ event }) => event === "refused").length;
  const before = refused();
  for (const begun of [
    `${head}content-length: 99\r\n\r\n{`,
    `${head}transfer-encoding: chunked\r\n\r\n5\r\n{`,
    head,
  ]) {
    const socket = await open();
    socket.end(begun);
    expect(await readToEnd(socket)).toBe("");
  }
  expect(refused()).toBe(before);
  const socket = await open();
  socket.write("this is no request\r\n\r\n");
  expect(await readToEnd(socket)).toContain("malformed");
  await expect.poll(refused).toBe(before + 1);
});
