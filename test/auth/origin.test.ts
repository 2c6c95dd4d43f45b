import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOriginAllowed } from "#src/auth/origin.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

const PARTNER = "https://partner.example";
const EVIL = "https://evil.example";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: { chat: PUBLIC_ROOMS, keyed: { transport: "ws", auth: { headerName: "X-Key" } } },
    allowedOrigins: [PARTNER],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([sseClient, webSocketClient])("a page over $name", ({ name, connect }) => {
  it.each([
    EVIL,
    "null",
    "http://localhost:1",
    "https://partner.example.evil.example",
    "http://partner.example",
  ])("of the origin %s is refused", async (origin) => {
    await expect(connect(`${server.url}/channels/chat`, { headers: { origin } })).rejects.toMatchObject({
      number: { SSE: 403, WebSocket: 4403 }[name],
      code: "origin_forbidden",
    });
  });

  it("of the server's own host, of an allowed origin, and what is no page, is let in", async () => {
    for (const headers of [{ origin: server.url }, { origin: PARTNER }, {}]) {
      const { close } = await connect(`${server.url}/channels/chat`, { headers });
      close();
    }
  });
});

/** Sends a request with the headers that `fetch` would not let through. */
function send(
  method: string,
  { path, headers, body = "" }: { path: string; headers: Record<string, string>; body?: string },
): Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    httpRequest(server.url + path, { method, headers })
      .on("response", (response) => {
        response.resume();
        resolve({ status: response.statusCode, headers: response.headers });
      })
      .on("error", reject)
      .end(body);
  });
}

describe("a POST", () => {
  const path = toMessagesPath("chat");
  const { body } = jsonBody({ type: "m", data: 1 });
  const post = (origin: string) =>
    send("POST", { path, headers: { origin, "content-type": "application/json" }, body });

  it("of a page of another site is refused, and the page may not read why", async () => {
    const { status, headers } = await post(EVIL);
    expect(status).toBe(403);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("of an allowed page is taken, and the page may read the answer", async () => {
    const { status, headers } = await post(PARTNER);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "access-control-allow-origin": PARTNER,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "retry-after",
      vary: "origin",
    });
  });
});

describe("a preflight", () => {
  it.each(["/channels/chat", "/channels/chat/messages", "/channels/nope"])(
    "for %s is answered 204 for anyone, and only the allowed are told that they are",
    async (path) => {
      const headers = { "access-control-request-method": "POST" };
      const partner = await send("OPTIONS", { path, headers: { ...headers, origin: PARTNER } });
      expect(partner.status).toBe(204);
      expect(partner.headers).toMatchObject({
        "access-control-allow-origin": PARTNER,
        "access-control-allow-methods": path.endsWith("/messages") ? "POST" : "GET",
      });
      for (const name of ["authorization", "content-type", "idempotency-key", "last-event-id"]) {
        expect(partner.headers["access-control-allow-headers"]).toContain(name);
      }
      const evil = await send("OPTIONS", { path, headers: { ...headers, origin: EVIL } });
      expect(evil.status).toBe(204);
      expect(evil.headers).not.toHaveProperty("access-control-allow-origin");
    },
  );
});

describe("a preflight of a channel with a header of its own", () => {
  it.each(["/channels/keyed", "/channels/keyed/messages"])("for %s allows that header", async (path) => {
    const headers = { "access-control-request-method": "GET", origin: PARTNER };
    const { headers: answered } = await send("OPTIONS", { path, headers });
    expect(answered["access-control-allow-headers"]).toBe(
      "authorization, content-type, idempotency-key, last-event-id, x-key",
    );
  });
});

describe("an error", () => {
  it("can be read by an allowed page", async () => {
    const { status, headers } = await send("GET", { path: "/channels/nope", headers: { origin: PARTNER } });
    expect(status).toBe(404);
    expect(headers).toMatchObject({ "access-control-allow-origin": PARTNER });
  });
});

describe("the origin rule", () => {
  it.each([
    ["https://app.example", "app.example", true],
    ["https://app.example", "app.example:443", true],
    ["http://app.example", "app.example:80", true],
    ["https://app.example:8443", "app.example:8443", true],
    ["https://app.example:8443", "app.example", false],
    ["https://app.example", "app.example:8443", false],
    ["https://APP.example", "app.EXAMPLE", true],
    ["https://sub.app.example", "app.example", false],
    ["null", "app.example", false],
    ["", "app.example", false],
    ["https://app.example", undefined, false],
    [undefined, "app.example", true],
  ])("for the origin %s at the host %s says %s", (origin, host, isAllowed) => {
    expect(isOriginAllowed({ origin, host }, [])).toBe(isAllowed);
  });
});
