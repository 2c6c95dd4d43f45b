import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allowHosts, allowLocalHosts } from "#src/server/allowed-hosts.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";
import { dial, readToEnd } from "../support/raw-connection.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const OURS = [
  "localhost",
  "localhost:4433",
  "LOCALHOST.",
  "shop.localhost:4433",
  "127.0.0.1:4433",
  "192.168.1.5",
  "[::1]:4433",
  "[fd00::2]",
];
const OTHERS = [
  "evil.test",
  "evil.test:4433",
  "localhost.evil.test",
  "evillocalhost",
  "127.0.0.1.nip.io",
  "2130706433",
  "0x7f.1",
  "localhost@evil.test",
  ".localhost.evil",
  ".localhost",
  "..localhost",
  "a..localhost",
  "evil.test%00.localhost",
  "a b.localhost",
  "",
  ":4433",
  "[evil.test]",
];

describe("the check of hosts", () => {
  it.each(OURS)("lets %j pass", (host) => expect(allowHosts([])(host)).toBe(true));

  it.each(OTHERS)("refuses %j", (host) => expect(allowHosts([])(host)).toBe(false));

  it("refuses a request without one", () => expect(allowHosts([])(undefined)).toBe(false));

  it("lets a listed name pass, and not those below it or beside it", () => {
    const isAllowed = allowHosts(["shop.test"]);
    expect(["shop.test", "Shop.TEST:4433", "shop.test."].map(isAllowed)).toEqual([true, true, true]);
    expect(["a.shop.test", "myshop.test", "shop.test.evil"].map(isAllowed)).toEqual([false, false, false]);
  });

  it("lets a name with a dot in front stand for itself and all below it", () => {
    const isAllowed = allowHosts([".shop.test"]);
    expect(["shop.test", "a.shop.test", "a.b.shop.test"].map(isAllowed)).toEqual([true, true, true]);
    expect(["myshop.test", "test"].map(isAllowed)).toEqual([false, false]);
  });

  it("lets only the loopback's addresses pass where only this machine is to come", () => {
    const isAllowed = allowLocalHosts([]);
    expect(["127.0.0.1:1", "[::1]:1", "localhost", "a.localhost"].map(isAllowed)).not.toContain(false);
    expect(["192.168.1.5", "[fd00::2]", "0.0.0.0", "evil.test"].map(isAllowed)).not.toContain(true);
    expect(allowLocalHosts(["host.docker.internal"])("host.docker.internal:1")).toBe(true);
    expect(["192.168.1.5:1", "192.168.1.6"].map(allowLocalHosts(["192.168.1.5"]))).toEqual([true, false]);
  });
});

interface Answered {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Asks a server by another name than its own, as a page of a name that was rebound does. */
async function askAs(
  host: string,
  { url, path = "/", headers = {} }: { url: string; path?: string; headers?: Record<string, string> },
): Promise<Answered> {
  const sent = httpRequest(new URL(path, url), { headers: { host, ...headers }, agent: false });
  const [response] = await once(sent.end(), "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, type: response.headers["content-type"], body };
}

const UPGRADE =
  "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

describe("a server that checks hosts", () => {
  let app: FixtureApp;
  let server: TestServer;
  let asked: string[];
  let certificates: TestCertificates;

  beforeAll(async () => {
    asked = [];
    app = await startFixtureApp(({ headers, url }, response) => {
      asked.push(`${headers.host}${url}`);
      response.end("the app");
    });
    certificates = await makeTestCertificates();
    const channels = { chat: PUBLIC_ROOMS };
    server = await startTestServer({ channels, app: { url: app.url }, allowedHosts: ["shop.test"] });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    await certificates[Symbol.asyncDispose]();
  });

  it.each(["/", "/channels/chat", "/_chanctl/"])(
    "answers %s of another host 403, with the line to write",
    async (path) => {
      const before = asked.length;
      const { status, type, body } = await askAs("evil.test:4433", { url: server.url, path });
      expect({ status, type }).toEqual({ status: 403, type: "application/problem+json" });
      expect(JSON.parse(body)).toMatchObject({
        code: "host_forbidden",
        detail: expect.stringContaining("got `evil.test`"),
        fix: expect.stringContaining('allowedHosts: ["evil.test"]'),
      });
      expect(asked).toHaveLength(before);
    },
  );

  it("shows a browser a page with the line, whatever is in the name", async () => {
    const headers = { accept: "text/html,*/*" };
    const { status, type, body } = await askAs("a-b.test", { url: server.url, headers });
    expect({ status, type }).toEqual({ status: 403, type: "text/html; charset=utf-8" });
    expect(body).toContain("<p>The host must be localhost, ");
    expect(body).toContain("<pre>allowedHosts: [&quot;a-b.test&quot;],</pre>");
    const strange = await askAs("a&b.test", { url: server.url, headers });
    expect(strange.body).toContain("got <code>a&amp;b.test</code>");
    expect(strange.body).not.toContain("allowedHosts: ["); // no line would let it in
  });

  it.each(["/", "/channels/chat"])("refuses an upgrade of %s by another host", async (path) => {
    const socket = await dial(server);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: evil.test\r\n${UPGRADE}\r\n`);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 403 [^]*host_forbidden/);
  });

  it.each(["localhost", "shop.localhost:1", "127.0.0.1", "[::1]", "shop.test"])("serves %s", async (host) => {
    expect(await askAs(host, { url: server.url })).toMatchObject({ status: 200, body: "the app" });
  });

  it.each([
    ["chanctl.config.json", '"allowedHosts": ["evil.test"]', '"allowedOrigins": ["https://evil.test"]'],
    ["chanctl.config.mjs", 'allowedHosts: ["evil.test"],', 'allowedOrigins: ["https://evil.test"],'],
  ])("names the config that is there, in its syntax: %s", async (configName, hostLine, originLine) => {
    const channels = { chat: PUBLIC_ROOMS };
    await using own = await startTestServer({ channels, configName, allowedHosts: [] });
    const stranger = await askAs("evil.test", { url: own.url });
    expect(JSON.parse(stranger.body).fix).toBe(`${hostLine}     in ${configName}, if the name is yours`);
    const headers = { origin: "https://evil.test" };
    const page = await askAs("localhost", { url: own.url, path: "/channels/chat?room=a", headers });
    expect(JSON.parse(page.body)).toMatchObject({
      code: "origin_forbidden",
      fix: `${originLine}     in ${configName}, if the page is yours`,
    });
    const sandboxed = { url: own.url, path: "/channels/chat?room=a", headers: { origin: "null" } };
    expect((await askAs("localhost", sandboxed)).body).not.toContain('["null"]');
  });

  it("says so in the log, with the line to write", async () => {
    await askAs("evil.test", { url: server.url });
    const isTold = (): boolean => server.logged.some(({ fields }) => fields?.["code"] === "host_forbidden");
    await expect.poll(isTold, PATIENT).toBe(true);
  });

  it("checks `:authority` over HTTP/2", async () => {
    await using secure = await startTestServer({ tls: certificates.tls, http2: true, allowedHosts: [] });
    const session = connectHttp2(secure.url, { ca: certificates.caPem });
    const ask = async (authority: string): Promise<unknown> => {
      const [headers] = await once(session.request({ ":authority": authority, ":path": "/" }), "response");
      return headers[":status"];
    };
    expect(await ask("evil.test")).toBe(403);
    expect(await ask("localhost")).toBe(404);
    session.destroy();
  });

  it("checks what comes in the clear on the TLS port, whether a body waits for `100 Continue` or not", async () => {
    await using secure = await startTestServer({ tls: certificates.tls, http2: true, allowedHosts: [] });
    const url = secure.url.replace("https:", "http:");
    for (const headers of [{}, { expect: "100-continue" }]) {
      expect((await askAs("evil.test", { url, headers })).status).toBe(403);
      expect((await askAs("localhost", { url, headers })).status).toBe(307);
    }
  });

  it("takes any name where nothing was listed", async () => {
    await using open = await startTestServer({ app: { url: app.url } });
    expect(await askAs("app.example", { url: open.url })).toMatchObject({ status: 200, body: "the app" });
  });
});

describe("the internal listener", () => {
  const withToken = ({ token }: TestServer) => ({ authorization: `Bearer ${token}` });

  it("refuses other hosts than the loopback's, the token or not", async () => {
    await using server = await startTestServer();
    for (const host of ["evil.test", "192.168.1.5"]) {
      const asked = { url: server.internalUrl, path: "/_chanctl/channels", headers: withToken(server) };
      expect((await askAs(host, asked)).status).toBe(403);
      expect((await askAs("localhost", asked)).status).toBe(200);
    }
  });

  it("refuses the machine's names on its network, which the public listener takes", async () => {
    await using server = await startTestServer({ allowedHosts: [], ownHosts: ["mymac.local"] });
    const asked = { url: server.internalUrl, path: "/_chanctl/channels", headers: withToken(server) };
    expect((await askAs("mymac.local", asked)).status).toBe(403);
    expect((await askAs("mymac.local", { url: server.url })).status).toBe(404); // let in: there is no app
  });

  it("says of an address which ones it takes, and takes one as soon as it is listed as it says", async () => {
    await using server = await startTestServer({ allowedHosts: [] });
    const path = "/_chanctl/channels";
    const refused = await askAs("192.168.1.5", { url: server.internalUrl, path, headers: withToken(server) });
    expect(JSON.parse(refused.body)).toMatchObject({
      detail: expect.stringContaining(
        "an address of the loopback or one of `allowedHosts`, got `192.168.1.5`",
      ),
      fix: 'allowedHosts: ["192.168.1.5"],     in chanctl.config.ts, if the address is yours',
    });
    const sixth = await askAs("[fd00::2]", { url: server.internalUrl, path, headers: withToken(server) });
    expect(JSON.parse(sixth.body)).toMatchObject({ status: 403, fix: "ask for localhost or 127.0.0.1" });
    await using listed = await startTestServer({ allowedHosts: ["192.168.1.5"] });
    const asked = { url: listed.internalUrl, path, headers: withToken(listed) };
    expect((await askAs("192.168.1.5", asked)).status).toBe(200);
  });

  it("takes a name that is listed, and any where other machines are to reach it", async () => {
    const path = "/_chanctl/channels";
    await using listed = await startTestServer({ allowedHosts: ["host.docker.internal"] });
    const docker = { url: listed.internalUrl, path, headers: withToken(listed) };
    expect((await askAs("host.docker.internal:1", docker)).status).toBe(200);
    await using open = await startTestServer({ internalHost: "0.0.0.0" });
    const other = { url: open.internalUrl, path, headers: withToken(open) };
    expect((await askAs("broker:8080", other)).status).toBe(200);
  });
});
