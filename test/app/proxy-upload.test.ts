import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { FRONTS, startApp, startFront } from "./fronts.ts";
import type { Front, FrontKind } from "./fronts.ts";

interface Upload {
  /** What the client sends. */
  readonly body: Duplex | NodeJS.WritableStream;
  readonly isAsked: () => boolean;
  readonly asked: Promise<void>;
  readonly answer: Promise<{ readonly status: number; readonly body: Readable }>;
}

/** Sends the head of a PUT at once, and nothing of its body. */
function openUpload(kind: FrontKind, front: Front, headers: Record<string, string> = {}): Upload {
  const isH2 = kind === "h2";
  const sent = isH2 ? openH2(front, headers) : openH1(front, headers);
  sent.on("error", () => {}); // the answer, or its lack, is what the tests look at
  let isAsked = false;
  const asked = new Promise<void>((resolve) => {
    sent.once("continue", () => {
      isAsked = true;
      resolve();
    });
  });
  const answer = once(sent, "response").then(([head]) => {
    const body = (isH2 ? sent : head) as unknown as Readable;
    return { status: Number(isH2 ? head[":status"] : (head as IncomingMessage).statusCode), body };
  });
  return { body: sent, isAsked: () => isAsked, asked, answer };
}

function openH1(front: Front, headers: Record<string, string>) {
  const send = front.origin.startsWith("https") ? httpsRequest : httpRequest;
  const sent = send(front.origin, { method: "PUT", headers, agent: false, rejectUnauthorized: false });
  onTestFinished(() => void sent.destroy());
  sent.flushHeaders();
  return sent;
}

function openH2(front: Front, headers: Record<string, string>) {
  const session = connect(front.origin, { rejectUnauthorized: false });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return session.request({ ":method": "PUT", ":path": "/", ...headers }, { endStream: false });
}

/** An app with a word about `Expect: 100-continue`. */
async function askingApp(onExpect: RequestListener, onBody: RequestListener): Promise<string> {
  const server = createServer(onBody).on("checkContinue", onExpect).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

/** An app that answers 401 to what it has not read, and closes: what comes later meets a connection that is gone. */
async function closingApp(rest: string, later: Promise<string> = Promise.resolve("")): Promise<string> {
  const app = createNetServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    socket.write(`HTTP/1.1 401 No\r\n${rest}`);
    void later.then((end) => socket.write(end, () => socket.destroy()));
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => void app.close());
  return `http://localhost:${(app.address() as AddressInfo).port}`;
}

/** More than the buffers on the way to the app hold. */
function* manyChunks(): Generator<Buffer> {
  for (let sent = 0; sent < 100; sent += 1) yield Buffer.alloc(65_536);
}

const EXPECT = { expect: "100-continue" };

describe.each(FRONTS)("over %s", (kind) => {
  test("lets the app speak before the body comes", async () => {
    const { origin } = await startApp((request, response) => {
      response.write("you first");
      request.pipe(response);
    });
    const upload = openUpload(kind, await startFront(kind, origin));
    const { body } = await upload.answer;
    expect(String((await once(body, "data"))[0])).toBe("you first");
    upload.body.end("no, you");
    expect(await text(body)).toBe("no, you");
  });

  test.each([413, 417])("asks for no body that the app refuses by its head with %i", async (status) => {
    const origin = await askingApp(
      (_, response) => response.writeHead(status).end("no"),
      (_, response) => response.end("took it"),
    );
    const upload = openUpload(kind, await startFront(kind, origin), { ...EXPECT, "content-length": "9" });
    const answer = await upload.answer;
    expect(answer.status).toBe(status);
    expect(await text(answer.body)).toBe("no");
    expect(upload.isAsked()).toBe(false);
  });

  test("asks for the body when the app does", async () => {
    let release: () => void = () => {};
    const origin = await askingApp(
      (request, response) => {
        release = () => {
          response.writeContinue();
          request.pipe(response);
        };
        reached();
      },
      (_, response) => response.end("never asked"),
    );
    let reached: () => void = () => {};
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    const upload = openUpload(kind, await startFront(kind, origin), EXPECT);
    await isReached;
    expect(upload.isAsked()).toBe(false);
    release();
    await upload.asked;
    upload.body.end("the body");
    expect(await text((await upload.answer).body)).toBe("the body");
  });

  test("asks for the body by itself where the app ignores the question", async () => {
    const app = createNetServer((socket) => {
      let received = "";
      socket
        .on("error", () => {})
        .on("data", (chunk) => {
          received += String(chunk);
          if (received.endsWith("the body")) socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ngot it");
        });
    }).listen(0, "127.0.0.1");
    await once(app, "listening");
    onTestFinished(() => void app.close());
    const front = await startFront(kind, `http://localhost:${(app.address() as AddressInfo).port}`);
    const upload = openUpload(kind, front, { ...EXPECT, "content-length": "8" });
    await upload.asked;
    upload.body.end("the body");
    expect(await text((await upload.answer).body)).toBe("got it");
  });

  test("passes on what an app answers that reads no upload and closes", async () => {
    const front = await startFront(kind, await closingApp("content-length: 2\r\n\r\nno"));
    for (let round = 0; round < 10; round += 1) {
      const { status, body } = await front.ask({ method: "POST", body: Readable.from(manyChunks()) });
      expect(status).toBe(401);
      expect(await text(body)).toBe("no");
    }
    expect(front.log).toEqual([]);
  });

  test.each(["content-length: 9", "connection: close"])(
    "takes no answer with %s for a whole one where the app's connection was reset",
    async (field) => {
      const front = await startFront(kind, await closingApp(`${field}\r\n\r\nno`));
      const asked = front.ask({ method: "POST", body: Readable.from(manyChunks()) });
      await expect(asked.then(({ body }) => text(body))).rejects.toThrow();
    },
  );

  test("cuts the app off when the client leaves within its upload", async () => {
    let cut: () => void = () => {};
    const isCut = new Promise<void>((resolve) => (cut = resolve));
    let begun: () => void = () => {};
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const { origin } = await startApp((request) => {
      request.once("data", begun);
      request.once("close", () => void (request.complete || cut()));
      request.on("error", () => {}).resume();
    });
    const upload = openUpload(kind, await startFront(kind, origin));
    upload.answer.catch(() => {});
    upload.body.write("half");
    await hasBegun;
    (upload.body as Duplex).destroy();
    await isCut;
  });
});

test("passes all of such an answer on to a client that takes it slowly", async () => {
  const half = "no".repeat(5_000);
  let release: (rest: string) => void = () => {};
  const later = new Promise<string>((resolve) => (release = resolve));
  const front = await startFront("h2", await closingApp(`content-length: 20000\r\n\r\n${half}`, later));
  const settings = { initialWindowSize: 1_000 };
  const session = connect(front.origin, { rejectUnauthorized: false, settings });
  onTestFinished(() => session.destroy());
  const sent = session.request({ ":method": "POST" });
  Readable.from(manyChunks()).pipe(sent);
  sent.once("data", () => release(half));
  expect(await text(sent)).toHaveLength(20_000);
});

test("a POST uses a connection again that has just been used, and none that has waited", async () => {
  const { origin, server } = await startApp((request, response) => {
    request.resume().once("end", () => response.end(String(request.socket.remotePort)));
  });
  server.keepAliveTimeout = 0; // the app never closes one
  const sockets: Duplex[] = [];
  server.on("connection", (socket: Duplex) => sockets.push(socket));
  const front = await startFront("http/1.1", origin);
  const post = async (body?: string) =>
    text((await front.ask({ method: "POST", ...(body !== undefined && { body }) })).body);
  const first = await post("x");
  expect(await post()).toBe(first);
  await once(sockets[0] ?? server, "close"); // by the proxy: nobody else would
  expect(await post("x")).not.toBe(first);
});

test("repeats no POST that the app may have seen, even on a connection that was kept", async () => {
  let calls = 0;
  const { origin } = await startApp((request, response) => {
    calls += 1;
    if (calls === 2) request.destroy();
    else request.resume().once("end", () => response.end("done"));
  });
  const front = await startFront("http/1.1", origin);
  expect((await front.ask({ method: "POST", body: "x" })).status).toBe(200);
  expect((await front.ask({ method: "POST", body: "x" })).status).toBe(502);
  expect(calls).toBe(2);
});
