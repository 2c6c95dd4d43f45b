import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { dial, readToEnd } from "../support/raw-connection.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

let app: FixtureApp;
let server: TestServer;
const asked: unknown[] = [];

beforeAll(async () => {
  app = await startFixtureApp(({ url }, response) => {
    asked.push(url);
    response.end("the app");
  });
  server = await startTestServer({ app: { url: app.url } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

/** Sends a target as it is, which `fetch` would tidy up. */
async function send(target: string, headers = ""): Promise<string> {
  const socket = await dial(server);
  socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}\r\n`);
  return readToEnd(socket);
}

describe("`/_chanctl/` of the public port", () => {
  it.each([
    "/_chanctl",
    "/_chanctl/",
    "/_chanctl?x",
    "/_chanctl/channels",
    "/_chanctl/disconnect",
    "/_CHANCTL/x",
    "/%5fchanctl/x",
    "/%255fchanctl/x",
    "//_chanctl/x",
    "/x/../_chanctl/x",
    "/_chanctl;a/x",
    "http://localhost/_chanctl/x",
  ])("answers %s 404 itself, with a hint", async (target) => {
    const answer = await send(target);
    expect(answer).toMatch(/^HTTP\/1\.1 404 [^]*"code":"not_found"[^]*internalUrl/);
    expect(asked).toEqual([]);
  });

  it("answers an upgrade 404 itself", async () => {
    expect(await send("/_chanctl/x", "connection: upgrade\r\nupgrade: websocket\r\n")).toMatch(
      /^HTTP\/1\.1 404 [^]*"code":"not_found"/,
    );
    expect(asked).toEqual([]);
  });

  it.each(["/_chanctlx", "/x/_chanctl/", "/chanctl", "/?_chanctl/"])(
    "leaves %s to the app",
    async (target) => {
      expect(await send(target)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});
