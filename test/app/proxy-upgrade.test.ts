import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startApp, startFront } from "./fronts.ts";
import type { Front } from "./fronts.ts";
import { eventually, supervise } from "./support.ts";

/** An app with a WebSocket that sends back what it gets. */
async function echoApp(): Promise<{ origin: string; sockets: WebSocketServer }> {
  const { origin, server } = await startApp((_, response) => response.end("no upgrade"));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return { origin, sockets };
}

/** An app that switches to a protocol of its own and then calls `onSwitched`. */
async function rawApp(
  onSwitched: (socket: Duplex, head: Buffer, request: IncomingMessage) => void,
): Promise<string> {
  const { origin, server } = await startApp((_, response) => response.end("no upgrade"));
  server.on("upgrade", (request, socket: Duplex, head: Buffer) => onSwitched(socket, head, request));
  return origin;
}

function open(front: Front, path = "/", protocols: string[] = []): WebSocket {
  const url = `${front.origin.replace("http", "ws")}${path}`;
  const socket = new WebSocket(url, protocols, { rejectUnauthorized: false });
  socket.on("error", () => {}); // `close` follows
  onTestFinished(() => socket.terminate());
  return socket;
}

/** Sends bytes to the front and gives the connection. */
async function dial(front: Front, bytes: string): Promise<Socket> {
  const options = { port: front.port, host: "127.0.0.1", rejectUnauthorized: false };
  const isTls = front.origin.startsWith("https:");
  const socket = isTls ? tlsConnect(options) : connect(options);
  onTestFinished(() => void socket.destroy());
  await once(socket, isTls ? "secureConnect" : "connect");
  socket.write(bytes);
  return socket;
}

/** What comes from a socket until it ends. */
async function readAll(socket: Socket): Promise<string> {
  let received = "";
  for await (const chunk of socket) received += String(chunk);
  return received;
}

const REQUEST = "GET /raw HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: raw\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\nX-Own: 1\r\n\r\n";

describe.each(["http/1.1", "http/1.1 over TLS"] as const)("over %s", (kind) => {
  test("passes a WebSocket through, text and binary, with its protocol", async () => {
    const { origin } = await echoApp();
    const socket = open(await startFront(kind, origin), "/ws", ["v1"]);
    await once(socket, "open");
    expect(socket.protocol).toBe("v1");
    socket.send("grüße");
    expect(String((await once(socket, "message"))[0])).toBe("grüße");
    const large = Buffer.alloc(3_000_000, 7);
    socket.send(large);
    expect(large.equals((await once(socket, "message"))[0])).toBe(true);
  });

  test("ends the client when the app ends, and the app when the client does", async () => {
    const { origin, sockets } = await echoApp();
    const front = await startFront(kind, origin);
    const first = open(front);
    const [, [inApp]] = await Promise.all([once(first, "open"), once(sockets, "connection")]);
    inApp.terminate();
    await once(first, "close");
    const second = open(front);
    const [, [other]] = await Promise.all([once(second, "open"), once(sockets, "connection")]);
    second.terminate();
    await once(other, "close");
  });

  test("passes a refusal back with its body", async () => {
    const body = "x".repeat(3_000_000);
    const origin = await rawApp((socket) => {
      socket.write(`HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\nX-Own: 1\r\n\r\n`);
      socket.end(body);
    });
    const socket = open(await startFront(kind, origin));
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(401);
    expect(response.headers["x-own"]).toBe("1");
    let size = 0;
    for await (const chunk of response) size += (chunk as Buffer).length;
    expect(size).toBe(body.length);
  });

  const leaves = kind === "http/1.1" ? (["destroy", "resetAndDestroy"] as const) : (["destroy"] as const);
  test.each(leaves)("cuts the app off when a client leaves before it is answered: %s", async (leave) => {
    let app: Duplex | undefined;
    let isCut = false;
    const origin = await rawApp((socket) => {
      app = socket.resume();
      for (const event of ["end", "error"]) socket.on(event, () => (isCut = true));
    });
    const front = await startFront(kind, origin);
    const socket = await dial(front, `${REQUEST}\r\n`);
    await eventually(() => app ?? fail());
    expect(isCut).toBe(false);
    socket[leave]();
    await eventually(() => expect(isCut).toBe(true));
  });
});

test("loses no byte that either side sends early", async () => {
  const origin = await rawApp((socket, head) => {
    socket.write(`${SWITCH}early from the app;`);
    socket.write(head);
    socket.pipe(socket);
  });
  const front = await startFront("http/1.1", origin);
  const socket = await dial(front, `${REQUEST}\r\nearly from the client;`);
  let received = "";
  socket.on("data", (chunk) => (received += String(chunk)));
  await eventually(() => expect(received).toMatch(/\r\n\r\nearly from the app;early from the client;$/));
  expect(received).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
  expect(received.toLowerCase()).toContain("\r\nx-own: 1\r\n");
  socket.end("late;");
  await once(socket, "end");
  expect(received).toMatch(/late;$/);
});

test.each(["destroy", "resetAndDestroy"] as const)(
  "ends the client when the app's socket ends by %s",
  async (end) => {
    const origin = await rawApp((socket) => {
      socket.write(SWITCH);
      socket.once("data", () => (socket as Socket)[end]());
    });
    const socket = await dial(await startFront("http/1.1", origin), `${REQUEST}\r\n`);
    await once(socket, "data");
    socket.write("end");
    await once(socket.resume(), "close");
  },
);

test("tells the app who asked, and drops what only chanctl may say", async () => {
  let headers: IncomingMessage["headers"] = {};
  const origin = await rawApp((socket, _, request) => {
    ({ headers } = request);
    socket.end(SWITCH);
  });
  const front = await startFront("http/1.1", origin);
  await readAll(await dial(front, `${REQUEST}X-Forwarded-For: lie\r\nX-Chanctl-Subject: lie\r\n\r\n`));
  expect(headers).toMatchObject({ host: "shop.localhost", upgrade: "raw", "x-forwarded-for": "127.0.0.1" });
  expect(headers).not.toHaveProperty("x-chanctl-subject");
});

test("answers as the app does that ignores the wish to upgrade", async () => {
  const { origin } = await startApp((request, response) =>
    response.end(`upgrade: ${request.headers.upgrade}`),
  );
  const front = await startFront("http/1.1", origin);
  expect(await readAll(await dial(front, `${REQUEST}\r\n`))).toMatch(
    /^HTTP\/1.1 200 OK\r\n[^]*upgrade: raw$/,
  );
});

test("never lets a client tunnel HTTP/2 to the app", async () => {
  const seen: (string | undefined)[] = [];
  const { origin, server } = await startApp((request, response) => {
    seen.push(request.headers.upgrade);
    response.end("over 1.1");
  });
  server.on("upgrade", () => seen.push("upgraded"));
  const front = await startFront("http/1.1", origin);
  const wish = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
  const answer = await readAll(await dial(front, `GET / HTTP/1.1\r\nHost: a\r\n${wish}\r\n`));
  expect(answer).toContain("over 1.1");
  // Node's own server, where somebody listens for upgrades, would have seen it as one.
  expect(seen).toEqual([undefined]);
});

test("refuses a request to upgrade that has a body", async () => {
  const { origin } = await echoApp();
  const front = await startFront("http/1.1", origin);
  const bytes = `${REQUEST}Content-Length: 40\r\n\r\nGET /channels/authorize HTTP/1.1\r\n\r\n`;
  expect(await readAll(await dial(front, bytes))).toMatch(/^HTTP\/1.1 400 /);
});

test("holds an upgrade until the app is ready", async () => {
  const file = join(temporaryFolder(), "go");
  const { app } = await supervise("serves", { environment: { WAIT_FOR: file } });
  const front = await startFront("http/1.1", app);
  const socket = await dial(front, `${REQUEST}\r\n`);
  writeFileSync(file, "");
  expect(await readAll(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*hello/);
});

test("answers 503 to an upgrade while the app is gone", async () => {
  const { app } = await supervise("serves");
  await app.close();
  const front = await startFront("http/1.1", app);
  expect(await readAll(await dial(front, `${REQUEST}\r\n`))).toMatch(/^HTTP\/1.1 503 [^]*app_unavailable/);
});

test("close() cuts upgraded connections off", async () => {
  const { origin } = await echoApp();
  const front = await startFront("http/1.1", origin);
  const socket = open(front);
  await once(socket, "open");
  await front.proxy.close();
  await once(socket, "close");
});

function fail(): never {
  throw new Error("not yet");
}
