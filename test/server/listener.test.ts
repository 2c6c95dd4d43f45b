import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { request as httpsRequest } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SseParser } from "#src/protocol/sse-parser.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

let certificates: TestCertificates;
let guarded: GuardedServer;
let http2: ClientHttp2Session;
let token: string;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  guarded = await startGuardedServer({
    tls: certificates.tls,
    http2: true,
    limits: { maxHeaderBytes: 8_192 },
  });
  token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
  http2 = connectHttp2(guarded.server.url, { ca: certificates.caPem });
});
afterAll(async () => {
  http2.destroy();
  await guarded[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

function get(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  return http2.request({ ":path": path, ...headers });
}

async function statusOf(stream: ClientHttp2Stream): Promise<number> {
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  stream.resume();
  return Number(headers[":status"]);
}

describe("one port", () => {
  it("serves SSE and WebSocket over HTTP/1.1, and SSE and POST over HTTP/2, all the same messages", async () => {
    const url = `${guarded.server.url}/channels/guarded?room=tls`;
    const options = { ca: certificates.caPem, headers: bearer(token) };
    const [sse, webSocket] = await Promise.all([openSse(url, options), openWebSocket(url, options)]);
    const stream = get("/channels/guarded?room=tls", bearer(token));
    expect(await statusOf(stream)).toBe(200);
    const parser = new SseParser();
    const received: string[] = [];
    stream.setEncoding("utf8").on("data", (text: string) => {
      for (const item of parser.push(text)) if (item.kind === "event") received.push(item.data);
    });

    const post = http2.request({
      ":path": "/channels/guarded/messages?room=tls",
      ":method": "POST",
      "content-type": "application/json",
      ...bearer(token),
    });
    post.end('{"type":"m","data":1}');
    expect(await statusOf(post)).toBe(200);
    webSocket.send({ type: "m", data: 2 });

    const messages = await sse.log.waitFor(2);
    expect(messages.map(({ json }) => (JSON.parse(json) as { data: unknown }).data)).toEqual([1, 2]);
    expect(await webSocket.log.waitFor(2)).toEqual(messages);
    await expect.poll(() => received, PATIENT).toEqual(messages.map(({ json }) => json));
    for (const { close } of [sse, webSocket]) close();
    stream.close();
  });

  it("takes the Origin of a page over HTTP/2 for what it is", async () => {
    const { host, origin } = new URL(guarded.server.url);
    expect(
      await statusOf(get("/channels/guarded", { ...bearer(token), origin: "https://evil.example" })),
    ).toBe(403);
    const own = get("/channels/guarded", { ...bearer(token), origin, ":authority": host });
    expect(await statusOf(own)).toBe(200);
    own.close();
  });

  it("forgets a client of HTTP/2 that has left while the app was asked", async () => {
    let release = (): void => {};
    const asked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const leaver = guarded.tokenFor(async () => {
      await asked;
      return { ok: true, subject: "leaver" };
    });
    const stream = get("/channels/guarded", bearer(leaver));
    await expect.poll(() => guarded.callsAbout(leaver).length, PATIENT).toBe(1);
    stream.close();
    await once(stream, "close");
    // The server has read the reset by the time it has answered a later request.
    expect(await statusOf(get("/channels/nope"))).toBe(404);
    release();
    const stayer = await openSse(`${guarded.server.url}/channels/guarded`, {
      ca: certificates.caPem,
      headers: bearer(leaver),
    });
    const response = await guarded.server.internal("/_chanctl/disconnect", {
      method: "POST",
      body: '{"subject":"leaver"}',
    });
    expect(await response.json()).toEqual({ closed: 1 });
    stayer.close();
  });

  it("speaks HTTP/1.1 only where HTTP/2 is switched off", async () => {
    await using server = await startTestServer({ tls: certificates.tls, http2: false });
    const socket = connectTls({
      port: Number(new URL(server.url).port),
      host: "127.0.0.1",
      servername: "localhost",
      ca: certificates.caPem,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it("presents another certificate from the next handshake on", async () => {
    await using other = await makeTestCertificates();
    await using server = await startTestServer({ tls: certificates.tls, http2: true });
    const port = Number(new URL(server.url).port);
    const issuerOf = async (ca: string): Promise<boolean> => {
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        servername: "localhost",
        ca,
        rejectUnauthorized: false,
      });
      await once(socket, "secureConnect");
      const { authorized } = socket;
      socket.destroy();
      return authorized;
    };
    expect(await issuerOf(certificates.caPem)).toBe(true);
    server.running.setCertificate(other.tls);
    expect(await issuerOf(other.caPem)).toBe(true);
    expect(await issuerOf(certificates.caPem)).toBe(false);
  });

  it("refuses a head over the limit, over HTTP/1.1 and HTTP/2", async () => {
    const big = { "x-big": "x".repeat(10_000) };
    const overHttp1 = await new Promise((resolve) => {
      httpsRequest(`${guarded.server.url}/channels/nope`, { ca: certificates.caPem, headers: big })
        .on("response", (response) => resolve(response.resume().statusCode))
        .on("error", () => resolve("cut off"))
        .end();
    });
    expect(overHttp1).toBe(431);
    const overHttp2 = await statusOf(get("/channels/nope", big)).catch(() => "cut off");
    expect([431, "cut off"]).toContain(overHttp2);
  });
});

describe("plain HTTP on the TLS port", () => {
  function send(
    headers: Readonly<Record<string, string>>,
    { path = "/a/b?c=d", method = "POST" } = {},
  ): Promise<{ status?: number; headers: IncomingHttpHeaders; wasAsked: boolean }> {
    const { port } = new URL(guarded.server.url);
    return new Promise((resolve, reject) => {
      let wasAsked = false;
      httpRequest({ host: "127.0.0.1", port, path, method, headers })
        .on("continue", () => (wasAsked = true))
        .on("response", (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, wasAsked });
        })
        .on("error", reject)
        .end();
    });
  }

  it.each(["/a%2Fb/../c?d=%00&d=&d", "//evil.example/", "/?", "/%C3%BC"])(
    "keeps the path and the query as they are: %s",
    async (path) => {
      const { host } = new URL(guarded.server.url);
      for (const method of ["GET", "HEAD", "DELETE"]) {
        const { status, headers } = await send({ host }, { path, method });
        expect(status).toBe(307);
        expect(headers.location).toBe(`https://${host}${path}`);
        expect(headers).not.toHaveProperty("strict-transport-security");
      }
    },
  );

  it("is asked for no body, and a WebSocket is redirected too", async () => {
    const { host } = new URL(guarded.server.url);
    const upload = await send({ host, expect: "100-continue", "content-length": "0" });
    expect(upload).toMatchObject({ status: 307, wasAsked: false });
    const upgrade = { host, connection: "upgrade", upgrade: "websocket" };
    expect(await send(upgrade, { method: "GET" })).toMatchObject({ status: 307 });
  });

  it("is sent to the same URL over HTTPS, method kept", async () => {
    const { host } = new URL(guarded.server.url);
    const { status, headers } = await send({ host });
    expect(status).toBe(307);
    expect(headers.location).toBe(`https://${host}/a/b?c=d`);
  });

  it("is redirected for this once: no browser keeps it for the next server on the port", async () => {
    const { host } = new URL(guarded.server.url);
    const { status, headers } = await send({ host }, { method: "GET" });
    expect([status, headers["cache-control"]]).toEqual([307, "no-store"]); // 301 and 308 are cached where nothing is said
  });

  it.each(["evil.example/x?", "user@evil.example", "evil.example\\x"])(
    "is sent nowhere with the host `%s`",
    async (host) => {
      const { status, headers } = await send({ host });
      expect(status).toBe(400);
      expect(headers.location).toBeUndefined();
    },
  );
});

describe.each(["127.0.0.1", "localhost", "0.0.0.0"])("a listener on %s, whose URL is localhost", (host) => {
  it("answers at both addresses of localhost, and frees both when it is closed", async () => {
    await using server = await startTestServer({ host });
    expect(new URL(server.url).hostname).toBe("localhost");
    const { port } = new URL(server.url);
    for (const address of ["127.0.0.1", "[::1]"]) {
      expect((await fetch(`http://${address}:${port}/channels/nope`)).status).toBe(404);
    }
    await server.running.close();
    for (const address of ["127.0.0.1", "[::1]"]) {
      await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow("fetch failed");
    }
  });
});

describe("a port that is taken", () => {
  it("is an error that names who has it; nothing stays open, and another port can be tried", async () => {
    const holder = createNetServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    await using first = await startTestServer();
    await first.running.close();
    const error: unknown = await startTestServer({ root: first.root, port }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "port_in_use" });
    expect(String(error)).toContain(`port ${port} is in use`);
    if (process.platform === "linux") expect(String(error)).toContain(`(pid ${process.pid}`);
    expect(error).toHaveProperty("hint", expect.stringMatching(/^--port 0 /));
    await using second = await startTestServer({ root: first.root });
    expect((await fetch(`${second.url}/channels/nope`)).status).toBe(404);
    holder.close();
  });

  it("is an error, too, where it is only the other address of `localhost` that somebody has", async () => {
    const holder = createNetServer().listen(0, "::1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    await using first = await startTestServer();
    await first.running.close();
    for (const host of ["127.0.0.1", "0.0.0.0"]) {
      const error: unknown = await startTestServer({ root: first.root, host, port }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: "port_in_use" });
      expect(String(error)).toContain(`port ${port} at ::1, which \`localhost\` is too, is in use`);
      if (process.platform === "linux") expect(String(error)).toContain(`(pid ${process.pid}`);
    }
    holder.close();
    await using second = await startTestServer({ root: first.root, port });
    expect(second.url).toBe(`http://localhost:${port}`);
  });

  it("is an error whose hint has the flag of the listener that wanted it", async () => {
    const holder = createNetServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port: internalPort } = holder.address() as AddressInfo;
    await using first = await startTestServer();
    await first.running.close();
    await expect(startTestServer({ root: first.root, internalPort })).rejects.toMatchObject({
      code: "port_in_use",
      hint: expect.stringMatching(/^--internal-port 0 /) as unknown,
    });
    holder.close();
    await expect(startTestServer({ root: first.root, internalHost: "192.0.2.1" })).rejects.toMatchObject({
      code: "cannot_listen",
      hint: expect.stringContaining("`internalHost`") as unknown,
    });
  });

  it("is an error with what to check where the host is none of this machine's", async () => {
    await using first = await startTestServer();
    await first.running.close();
    await expect(startTestServer({ root: first.root, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "cannot_listen",
    });
  });
});
