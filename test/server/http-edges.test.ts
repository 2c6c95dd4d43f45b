import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";
import { dial, dialTls, readToEnd, readUntil } from "../support/raw-connection.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

let certificates: TestCertificates;
let app: FixtureApp;
let secure: TestServer;
let secureWithoutHttp2: TestServer;
let plain: TestServer;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  app = await startFixtureApp((request, response) => void response.end(`${request.method} ${request.url}`));
  const options = { channels: { chat: PUBLIC_ROOMS }, app: { url: app.url } };
  secure = await startTestServer({ ...options, tls: certificates.tls, http2: true });
  secureWithoutHttp2 = await startTestServer({ ...options, tls: certificates.tls, http2: false });
  plain = await startTestServer(options);
});
afterAll(async () => {
  await Promise.all([secure, secureWithoutHttp2, plain].map((server) => server[Symbol.asyncDispose]()));
  await app[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

/** The status and the body of an answer of HTTP/1.1. */
function parse(answer: string): { status: number; headers: string; body: string } {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), headers: head.toLowerCase(), body };
}

const UPGRADE = "connection: upgrade\r\nupgrade: websocket\r\n";
const KEY = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION = "sec-websocket-version: 13\r\n";
const CLOSE = "connection: close\r\n";
const MESSAGE = '{"type":"m","data":1}';
const POST = `content-type: application/json\r\ncontent-length: ${MESSAGE.length}\r\n`;

describe.each([
  ["a plain port", () => dial(plain)],
  ["a TLS port", () => dialTls(secure, { ca: certificates.caPem })],
  ["a TLS port without HTTP/2", () => dialTls(secureWithoutHttp2, { ca: certificates.caPem })],
])("over HTTP/1.1 to %s", (_, open: () => Promise<Socket>) => {
  it.concurrent.each([
    // RFC 9112, section 3.2
    ["no Host", `GET /channels/chat HTTP/1.1\r\n${CLOSE}`, 400, "malformed"],
    ["two Hosts", `GET /channels/chat HTTP/1.1\r\nhost: a\r\nhost: b\r\n${CLOSE}`, 400, "malformed"],
    [
      "the same Host twice",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\nHost: a\r\n${CLOSE}`,
      400,
      "malformed",
    ],
    ["a Host with a path", `GET /channels/chat HTTP/1.1\r\nhost: a/b\r\n${CLOSE}`, 400, "malformed"],
    ["a Host with a user", `GET /channels/chat HTTP/1.1\r\nhost: a@b\r\n${CLOSE}`, 400, "malformed"],
    ["two Hosts, to the app", `GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n${CLOSE}`, 400, "malformed"],
    ["no Host, an upgrade", `GET /channels/chat HTTP/1.1\r\n${UPGRADE}${KEY}${VERSION}`, 400, "malformed"],
    [
      "two Hosts, an upgrade",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\nhost: b\r\n${UPGRADE}${KEY}${VERSION}`,
      400,
      "malformed",
    ],
    [
      "two Hosts, an upgrade to the app",
      `GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n${UPGRADE}${KEY}${VERSION}`,
      400,
      "malformed",
    ],
    // Requests to switch protocols
    [
      "a handshake without a key",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${VERSION}`,
      400,
      "malformed",
    ],
    [
      "a handshake with a key of the wrong length",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${VERSION}sec-websocket-key: abc=\r\n`,
      400,
      "malformed",
    ],
    [
      "a handshake with sub-protocols that are none",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${VERSION}${KEY}sec-websocket-protocol: a,,b\r\n`,
      400,
      "malformed",
    ],
    [
      "a handshake with a body",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${VERSION}${KEY}content-length: 5\r\n`,
      400,
      "malformed",
    ],
    [
      "a handshake over HTTP/1.0",
      `GET /channels/chat HTTP/1.0\r\nhost: a\r\n${UPGRADE}${VERSION}${KEY}`,
      400,
      "malformed",
    ],
    [
      "a handshake of a draft's version",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${KEY}sec-websocket-version: 8\r\n`,
      426,
      "websocket_version_unsupported",
    ],
    [
      "a handshake without a version",
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${KEY}`,
      426,
      "websocket_version_unsupported",
    ],
    [
      "a handshake that is a POST",
      `POST /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}${KEY}${VERSION}`,
      405,
      "method_not_allowed",
    ],
    // Other odd requests
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n", 405, "method_not_allowed"],
    ["CONNECT to a channel", "CONNECT /channels/chat HTTP/1.1\r\nhost: a\r\n", 405, "method_not_allowed"],
    ["TRACE", `TRACE /channels/chat HTTP/1.1\r\nhost: a\r\n${CLOSE}`, 405, "method_not_allowed"],
    ["the target `*`", `OPTIONS * HTTP/1.1\r\nhost: a\r\n${CLOSE}`, 400, "malformed"],
    ["a line that ends with LF only", "GET /channels/chat HTTP/1.1\nhost: a\n", 400, "malformed"],
    [
      "a length and chunks at once",
      `POST /channels/chat/messages HTTP/1.1\r\nhost: a\r\n${POST}transfer-encoding: chunked\r\n`,
      400,
      "malformed",
    ],
    ["an unknown version of HTTP", "GET /channels/chat HTTP/1.2\r\nhost: a\r\n", 400, "malformed"],
  ])("%s is answered, as a problem, and the connection closed", async (_name, head, status, code) => {
    const socket = await open();
    socket.write(`${head}\r\n`);
    const answer = parse(await readToEnd(socket));
    expect(answer.status).toBe(status);
    expect(answer.headers).toContain("content-type: application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    if (status === 426) expect(answer.headers).toMatch(/sec-websocket-version: 13$/);
    if (status === 405) expect(answer.headers).toContain("allow:");
  });

  it.concurrent.each([
    ["HTTP/1.0 without a Host", "GET /channels/nope HTTP/1.0\r\n\r\n", 404],
    ["the absolute form", `GET http://a/channels/nope HTTP/1.1\r\nhost: a\r\n${CLOSE}\r\n`, 404],
    [
      "a GET with a body",
      `GET /channels/nope HTTP/1.1\r\nhost: a\r\n${CLOSE}content-length: 5\r\n\r\nhello`,
      404,
    ],
    ["an empty Host", `GET /channels/nope HTTP/1.1\r\nhost:\r\n${CLOSE}\r\n`, 404],
    ["an address of IPv6 as Host", `GET /channels/nope HTTP/1.1\r\nhost: [::1]:80\r\n${CLOSE}\r\n`, 404],
    [
      "an expectation that nobody knows",
      `GET /channels/nope HTTP/1.1\r\nhost: a\r\n${CLOSE}expect: tea\r\n\r\n`,
      417,
    ],
    [
      "an upgrade of the app's that it ignores",
      "GET /x HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade\r\nupgrade: h2c\r\n\r\n",
      200,
    ],
  ])("%s is answered", async (_name, request, status) => {
    const socket = await open();
    socket.write(request);
    expect(parse(await readToEnd(socket)).status).toBe(status);
  });

  it.concurrent("a publish that offers HTTP/2, as Java's client does, is served, and the next on the connection too", async () => {
    const socket = await open();
    const offer =
      "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n";
    const publish = `POST /channels/chat/messages HTTP/1.1\r\nhost: a\r\n`;
    const ids = new Set<unknown>();
    for (let count = 0; count < 3; count += 1) {
      socket.write(`${publish}${offer}${POST}\r\n${MESSAGE.slice(0, 5)}`);
      socket.write(MESSAGE.slice(5));
      const answer = parse(await readUntil(socket, (received) => received.endsWith("]}")));
      expect(answer.status).toBe(200);
      ids.add(answer.body);
    }
    expect(ids.size).toBe(3);
    socket.destroy();
  });

  it.concurrent("a client that waits for `100 Continue` is told to go on, then answered", async () => {
    const socket = await open();
    socket.write(
      `POST /channels/chat/messages HTTP/1.1\r\nhost: a\r\n${CLOSE}${POST}expect: 100-continue\r\n\r\n`,
    );
    const first = await readUntil(socket, (received) => received.endsWith("\r\n\r\n"));
    expect(first).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(MESSAGE);
    expect(parse(await readToEnd(socket)).status).toBe(200);
  });

  it.concurrent("requests that are sent without waiting are answered in their order", async () => {
    const socket = await open();
    const asked = ["nope", "chat/messages", "chat?x=1", "other"];
    const requests = asked.map((path) => `GET /channels/${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
    socket.write(`${requests.join("")}GET /last HTTP/1.1\r\nhost: a\r\n${CLOSE}\r\n`);
    const statuses = [...(await readToEnd(socket)).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) =>
      Number(status),
    );
    expect(statuses).toEqual([404, 405, 400, 404, 200]);
  });

  it.concurrent("an idle connection is kept longer than the minute of load balancers, and says so", async () => {
    const socket = await open();
    socket.write("GET /channels/nope HTTP/1.1\r\nhost: a\r\n\r\n");
    const head = await readUntil(socket, (received) => received.includes("\r\n\r\n"));
    expect(head).toMatch(/^keep-alive: timeout=75\r$/im);
    socket.destroy();
  });
});

it("a handshake that is malformed is in the log", async () => {
  const isLogged = (code: string): boolean =>
    plain.logged.some(
      ({ event, fields }) => event === "refused" && fields?.["code"] === code && fields["transport"] === "ws",
    );
  for (const [version, code] of [
    ["8", "websocket_version_unsupported"],
    ["13", "malformed"],
  ] as const) {
    const socket = await dial(plain);
    socket.write(
      `GET /channels/chat HTTP/1.1\r\nhost: a\r\n${UPGRADE}sec-websocket-version: ${version}\r\n\r\n`,
    );
    await readToEnd(socket);
    await expect.poll(() => isLogged(code), PATIENT).toBe(true);
  }
});

describe("over HTTP/2", () => {
  /** The status of an answer, or the name of the code that the stream was reset with. */
  async function ask(headers: OutgoingHttpHeaders): Promise<unknown> {
    const session = connectHttp2(secure.url, { ca: certificates.caPem });
    await once(session, "remoteSettings");
    const outcome = await new Promise((resolve) => {
      const stream = session.request(headers, { endStream: true });
      stream.on("response", ({ ":status": status }) => resolve(status));
      stream.on("error", ({ message }) => resolve(/NGHTTP2_\w+/.exec(message)?.[0]));
    });
    session.destroy();
    return outcome;
  }

  it.each([
    ["CONNECT", { ":method": "CONNECT", ":authority": "a:443" }, 405],
    ["HEAD of a channel", { ":method": "HEAD", ":path": "/channels/chat" }, 405],
    [
      "a `host` that is not the `:authority`",
      { ":path": "/channels/chat", ":authority": "a", host: "b" },
      400,
    ],
    [
      "a `host` that repeats the `:authority`",
      { ":path": "/channels/nope", ":authority": "a", host: "a" },
      404,
    ],
    [
      "an `:authority` that is none",
      { ":path": "/channels/chat", ":authority": "a b" },
      "NGHTTP2_PROTOCOL_ERROR",
    ],
    [
      // RFC 8441 is not offered in the settings, so asking for it is an error of the protocol.
      "WebSocket over HTTP/2",
      {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":path": "/channels/chat",
        ":authority": "a",
      },
      "NGHTTP2_PROTOCOL_ERROR",
    ],
  ])("%s is refused cleanly or served", async (_, headers, outcome) => {
    expect(await ask(headers)).toBe(outcome);
    expect(await ask({ ":path": "/channels/nope" })).toBe(404);
  });
});
