import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer, json, text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Problem } from "#src/protocol/problem.ts";
import { FRONTS, startApp, startFront } from "./fronts.ts";
import { eventually } from "./support.ts";

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An app that tells what it was asked. */
async function echoApp(): Promise<string> {
  const { origin } = await startApp(async (request, response) => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: await text(request) }));
  });
  return origin;
}

describe.each(FRONTS)("over %s", (kind) => {
  test("passes method, path, headers and body on", async () => {
    const front = await startFront(kind, await echoApp());
    const headers = { "content-type": "text/plain", "x-own": "1", cookie: "a=1; b=2" };
    const reply = await front.ask({ method: "PUT", path: "/a%20b?c=%2F&d", headers, body: "grüße" });
    expect(reply.status).toBe(200);
    expect(await json(reply.body)).toMatchObject({
      method: "PUT",
      url: "/a%20b?c=%2F&d",
      headers: { ...headers, host: `127.0.0.1:${front.port}` },
      body: "grüße",
    });
  });

  test("tells the app who asked and how, whatever the client claims", async () => {
    const front = await startFront(kind, await echoApp());
    const lies = [
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-forwarded-port",
      "x-forwarded-user",
    ];
    const more = ["forwarded", "x-real-ip", "x-chanctl-subject"];
    const headers = Object.fromEntries([...lies, ...more].map((name) => [name, "lie"]));
    const echo = (await json((await front.ask({ headers })).body)) as Echo;
    expect(echo.headers).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": `127.0.0.1:${front.port}`,
      "x-forwarded-proto": kind === "http/1.1" ? "http" : "https",
      "x-forwarded-port": String(front.port),
    });
    expect(JSON.stringify(echo.headers)).not.toContain("lie");
  });

  test("keeps headers that are about one connection to it", async () => {
    const { origin } = await startApp((request, response) => {
      const hop = {
        connection: "keep-alive, x-hop",
        "keep-alive": "timeout=7",
        "x-hop": "1",
        "proxy-connection": "x",
      };
      response.writeHead(200, { ...hop, "x-end": "1" });
      response.end(JSON.stringify(request.headers));
    });
    const front = await startFront(kind, origin);
    const hop =
      kind === "h2" ? {} : { connection: "x-hop, close", "x-hop": "1", "proxy-connection": "keep-alive" };
    const reply = await front.ask({ headers: { ...hop, te: "trailers", "x-end": "1" } });
    expect(reply.headers).toMatchObject({ "x-end": "1" });
    for (const name of ["x-hop", "proxy-connection"]) expect(reply.headers).not.toHaveProperty(name);
    expect(reply.headers["keep-alive"]).not.toBe("timeout=7");
    const sent = (await json(reply.body)) as Record<string, string>;
    expect(sent["x-end"]).toBe("1");
    expect(sent["te"]).toBe("trailers"); // which it passes back, and so may ask for itself
    for (const name of ["x-hop", "proxy-connection"]) expect(sent).not.toHaveProperty(name);
  });

  test("passes status, repeated fields and redirects back", async () => {
    const { origin } = await startApp((_, response) => {
      response.writeHead(302, { location: "/there", "set-cookie": ["a=1", "b=2"], link: ["</a>", "</b>"] });
      response.end();
    });
    const reply = await (await startFront(kind, origin)).ask();
    expect(reply.status).toBe(302);
    expect(reply.headers).toMatchObject({
      location: "/there",
      "set-cookie": ["a=1", "b=2"],
      link: "</a>, </b>",
    });
  });

  test("never tells a browser to use HTTPS only for localhost", async () => {
    const hsts = { "strict-transport-security": "max-age=63072000; includeSubDomains" };
    const { origin } = await startApp((_, response) => response.writeHead(200, hsts).end());
    const front = await startFront(kind, origin);
    const heardAt = async (host: string) => {
      const reply = await front.ask({ headers: kind === "h2" ? { ":authority": host } : { host } });
      return reply.headers["strict-transport-security"];
    };
    for (const host of ["localhost", "localhost:4433", "shop.localhost:4433", "a.Shop.LOCALHOST."]) {
      expect(await heardAt(host)).toBeUndefined();
    }
    for (const host of ["shop.example", "localhost.example", "notlocalhost:1"]) {
      expect(await heardAt(host)).toBe(hsts["strict-transport-security"]);
    }
  });

  test.each([
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ])("ends a %s answer of status %d without a body", async (method, status) => {
    const { origin } = await startApp((_, response) => {
      response.writeHead(status, status === 200 ? { "content-length": "5" } : { etag: '"x"' }).end();
    });
    const reply = await (await startFront(kind, origin)).ask({ method });
    expect(reply.status).toBe(status);
    if (status === 200) expect(reply.headers["content-length"]).toBe("5");
    expect(await text(reply.body)).toBe("");
  });

  test("passes an event stream on event by event, its head first of all", async () => {
    let send: (chunk: string) => void = () => {};
    const { origin } = await startApp((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      send = (chunk) => void response.write(chunk);
    });
    const reply = await (await startFront(kind, origin)).ask();
    expect(reply.headers["content-type"]).toBe("text/event-stream");
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      send(event);
      expect(String((await once(reply.body, "data"))[0])).toBe(event);
    }
  });

  test("streams both ways at once", async () => {
    const { origin } = await startApp((request, response) => void request.pipe(response));
    const front = await startFront(kind, origin);
    const upload = new Readable({ read() {} });
    upload.push("one");
    const reply = await front.ask({ method: "POST", body: upload });
    expect(String((await once(reply.body, "data"))[0])).toBe("one");
    upload.push("two");
    expect(String((await once(reply.body, "data"))[0])).toBe("two");
    upload.push(null);
    expect(await text(reply.body)).toBe("");
  });

  test("reads from the app no faster than the client does", async () => {
    const total = 256 * 1_048_576;
    let written = 0;
    const chunk = Buffer.alloc(65_536, "x");
    const { origin } = await startApp(async (_, response) => {
      for (; written < total; written += chunk.length) {
        if (!response.write(chunk)) await once(response, "drain");
      }
      response.end();
    });
    const reply = await (await startFront(kind, origin)).ask();
    let before = -1;
    await expect.poll(() => written === before || void (before = written), { interval: 300 }).toBe(true);
    expect(written).toBeLessThan(total / 4);
    let received = 0;
    for await (const part of reply.body) received += (part as Buffer).length;
    expect(received).toBe(total);
  });

  test("takes an upload no faster than the app does", async () => {
    const total = 256 * 1_048_576;
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const { origin } = await startApp(async (request, response) => {
      await begun;
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      response.end(String(size));
    });
    const front = await startFront(kind, origin);
    const chunk = Buffer.alloc(65_536);
    let sent = 0;
    function* chunks(): Generator<Buffer> {
      for (; sent < total; sent += chunk.length) yield chunk;
    }
    const pending = front.ask({ method: "POST", body: Readable.from(chunks()) });
    let before = -1;
    await expect.poll(() => sent === before || void (before = sent), { interval: 300 }).toBe(true);
    expect(sent).toBeLessThan(total / 4);
    begin();
    expect(await text((await pending).body)).toBe(String(total));
  });

  test("cuts the app off when the client leaves", async () => {
    let isCut = false;
    const { origin } = await startApp((_, response) => {
      response.write("x");
      response.once("close", () => (isCut = true));
    });
    const reply = await (await startFront(kind, origin)).ask();
    await once(reply.body, "data");
    reply.body.destroy();
    await eventually(() => expect(isCut).toBe(true));
  });

  test("does not let an answer that the app broke off pass for a whole one", async () => {
    const { origin } = await startApp((_, response) => {
      response.write("half");
      setImmediate(() => response.destroy());
    });
    const reply = await (await startFront(kind, origin)).ask();
    await expect(buffer(reply.body)).rejects.toThrow(/aborted|INTERNAL_ERROR/);
  });

  test("passes early hints and trailers on", async () => {
    const { origin } = await startApp((_, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload; as=style" });
      response.writeHead(200, { trailer: "x-sum" });
      response.write("body");
      response.addTrailers({ "x-sum": "42" });
      response.end();
    });
    const hints: unknown[] = [];
    const reply = await (
      await startFront(kind, origin)
    ).ask({ onEarlyHints: ({ link }) => hints.push(link) });
    expect(await text(reply.body)).toBe("body");
    expect(hints).toEqual(["</a.css>; rel=preload; as=style"]);
    expect(reply.trailers()).toMatchObject({ "x-sum": "42" });
  });

  test("answers a client that waits for 100 Continue", async () => {
    const front = await startFront(kind, await echoApp());
    const headers = { expect: "100-continue", "content-length": 4 };
    const reply = await front.ask({ method: "POST", headers, body: "body" });
    expect(((await json(reply.body)) as Echo).body).toBe("body");
  });

  test("passes on an answer that comes before the upload has ended", async () => {
    const { origin } = await startApp((request, response) => {
      request.once("data", () => response.writeHead(413).end("too big"));
    });
    const front = await startFront(kind, origin);
    const upload = new Readable({ read() {} });
    upload.push("first");
    const reply = await front.ask({ method: "POST", body: upload });
    expect(reply.status).toBe(413);
    expect(await text(reply.body)).toBe("too big");
  });

  test("refuses a request that the app has sent back", async () => {
    let origin = "";
    const app = await startApp(async (request, response) => {
      const headers = { "x-chanctl-via": String(request.headers["x-chanctl-via"]) };
      const again = await front.ask({ headers });
      response.writeHead(again.status, { "content-type": "application/problem+json" });
      again.body.pipe(response);
    });
    ({ origin } = app);
    const front = await startFront(kind, origin);
    const reply = await front.ask();
    expect(reply.status).toBe(508);
    expect(await json(reply.body)).toMatchObject({ code: "loop_detected" });
  });

  test("answers 502 for an app that speaks no HTTP", async () => {
    const { origin, server } = await startApp(() => {});
    server.on("connection", (socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
    const front = await startFront(kind, origin);
    for (const ask of [{}, { method: "POST", body: "x" }]) {
      const reply = await front.ask(ask);
      expect(reply.status).toBe(502);
      const { code, detail } = (await json(reply.body)) as Problem;
      expect(code).toBe("app_unavailable");
      expect(detail).toBe("what the app answered is no HTTP/1.1; it may expect TLS on its port");
    }
  });

  test("passes a large head on, and says when it is too large", async () => {
    const { origin } = await startApp((request, response) => {
      response.setHeader("x-large", "x".repeat(Number(request.url?.slice(1))));
      request.resume().once("end", () => response.end());
    });
    const front = await startFront(kind, origin);
    for (const ask of [{}, { method: "POST", body: "x" }]) {
      expect((await front.ask({ ...ask, path: "/60000" })).headers["x-large"]).toHaveLength(60_000);
      const reply = await front.ask({ ...ask, path: "/70000" });
      expect(reply.status).toBe(502);
      const { detail } = (await json(reply.body)) as Problem;
      expect(detail).toBe("the head of the app's answer is larger than 65536 bytes");
    }
  });
});

test.each(["*", "http://other/channels/authorize"])(
  "refuses a target that is no path: %s",
  async (target) => {
    const front = await startFront("http/1.1", await echoApp());
    const reply = await front.ask({ method: "OPTIONS", target });
    expect(reply.status).toBe(400);
    expect(((await json(reply.body)) as Problem).code).toBe("malformed");
  },
);

test("finds an app that listens on IPv6 only", async () => {
  const { origin } = await startApp((_, response) => void response.end("six"), "::1");
  expect(await text((await (await startFront("http/1.1", origin)).ask()).body)).toBe("six");
});

test("keeps the connection of a client whose upload the app did not want to the end", async () => {
  const { origin } = await startApp((request, response) => {
    request.once("data", () => response.writeHead(413).end("too big"));
  });
  const front = await startFront("http/1.1", origin);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  for (const isReused of [false, true]) {
    const upload = request(front.origin, { method: "POST", agent });
    upload.write("first");
    const [response] = (await once(upload, "response")) as [IncomingMessage];
    expect(await text(response)).toBe("too big");
    upload.end(Buffer.alloc(1_048_576));
    await once(upload, "close");
    expect(upload.reusedSocket).toBe(isReused);
  }
});

test("outlives an app that breaks off while the client does not read", async () => {
  const app = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n");
      socket.write(Buffer.alloc(150_000), () => socket.resetAndDestroy());
    });
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => void app.close());
  // HTTP/2, as its window makes the proxy wait after 64 KiB, on any machine.
  const front = await startFront("h2", `http://localhost:${(app.address() as AddressInfo).port}`);
  for (let round = 0; round < 5; round += 1) {
    const closed = once(app, "connection").then(async ([socket]) => once(socket as Socket, "close"));
    const { body } = await front.ask();
    await closed;
    await expect(buffer(body)).rejects.toThrow(/INTERNAL_ERROR|Premature/);
  }
});

test("repeats a GET once when the app closes a connection that was kept", async () => {
  let calls = 0;
  const { origin } = await startApp((request, response) => {
    calls += 1;
    if (calls === 2) request.destroy();
    else response.end(`call ${calls}`);
  });
  const front = await startFront("http/1.1", origin);
  expect(await text((await front.ask()).body)).toBe("call 1");
  expect(await text((await front.ask()).body)).toBe("call 3");
});

test("repeats no GET that the app has had for longer than a closing connection takes to show", async () => {
  let calls = 0;
  const { origin } = await startApp((request, response) => {
    calls += 1;
    if (calls === 2) setTimeout(() => request.destroy(), 1_500);
    else response.end(`call ${calls}`);
  });
  const front = await startFront("http/1.1", origin);
  expect(await text((await front.ask()).body)).toBe("call 1");
  expect((await front.ask()).status).toBe(502);
  expect(calls).toBe(2);
});

test("repeats a GET on a fresh connection when the app closes all that were kept", async () => {
  const held: (() => void)[] = [];
  const used = new Set<Socket>();
  const { origin } = await startApp((request, response) => {
    if (used.has(request.socket)) request.destroy();
    used.add(request.socket);
    if (request.url === "/held") held.push(() => response.end("held"));
    else response.end("fresh");
  });
  const front = await startFront("http/1.1", origin);
  const pending = [1, 2, 3].map(() => front.ask({ path: "/held" }));
  await eventually(() => expect(held.length).toBe(pending.length));
  for (const answer of held) answer();
  for (const reply of pending) expect(await text((await reply).body)).toBe("held");
  expect(await text((await front.ask()).body)).toBe("fresh");
});

test("answers a thousand requests at once, each with its own answer", async () => {
  const { origin } = await startApp(async (request, response) => {
    response.end(`${request.url} ${await text(request)}`);
  });
  const front = await startFront("http/1.1", origin);
  const asked = Array.from({ length: 1_000 }, async (_, index) => {
    const ask = { path: `/${index}`, ...(index % 2 === 0 && { method: "POST", body: String(index) }) };
    const reply = await front.ask(ask);
    return `${reply.status} ${await text(reply.body)}`;
  });
  const answers = Array.from(
    { length: asked.length },
    (_, index) => `200 /${index} ${index % 2 ? "" : index}`,
  );
  expect(await Promise.all(asked)).toEqual(answers);
});

test.each([{ method: "GET" }, { method: "POST" }, { method: "PUT", body: "x" }])(
  "never repeats what the app may have seen: $method",
  async (ask) => {
    let calls = 0;
    const { origin } = await startApp((request) => {
      calls += 1;
      request.destroy();
    });
    const front = await startFront("http/1.1", origin);
    const reply = await front.ask({ ...ask, path: "/pay?token=secret" });
    expect(reply.status).toBe(502);
    expect(calls).toBe(1);
    expect(front.log.map(({ event }) => event)).toEqual(["app-broke-off"]);
    expect(JSON.stringify(front.log)).not.toContain("secret");
  },
);

test("close() is final and may be called twice", async () => {
  const front = await startFront("http/1.1", await echoApp());
  expect((await front.ask()).status).toBe(200);
  await front.proxy.close();
  await front.proxy.close();
  expect((await front.ask()).status).toBe(502);
});
