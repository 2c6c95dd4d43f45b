import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signJwt } from "#src/auth/sign-jwt.ts";
import type { ClaimedOperation } from "#src/protocol/app-call.ts";
import { jsonBody } from "../../support/server.ts";
import { createText, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const SECRET = "jwt secret";
const JWT = { key: SECRET, algorithms: ["HS256"] } as const;
const PULL = { type: "pull-wake", wake_stream: "wakes/1" };

let server: StreamServer;
beforeAll(async () => {
  server = await startStreamServer({ jwt: JWT });
  await server.asApp("wakes/1", { method: "PUT", headers: { "content-type": "application/json" } });
  await createText(server, "jobs/1");
});
afterAll(() => server[Symbol.asyncDispose]());

function tokenFor(...paths: readonly string[]): Promise<string> {
  return tokenTo("subscribe", paths);
}

function tokenTo(operation: ClaimedOperation, paths: readonly string[]): Promise<string> {
  const streams = paths.map((path) => ({ path, operations: [operation] }));
  return signJwt({ subject: "w", streams, expiresAt: Date.now() + 3_600_000 }, SECRET);
}

async function put(id: string, body: object, token?: string): Promise<unknown[]> {
  const headers = token === undefined ? {} : { "x-jid": token };
  const init = { ...jsonBody({ ...PULL, ...body }, headers), method: "PUT" };
  const response = await fetch(server.streamUrl(`__ds/subscriptions/${id}`), init);
  const { error } = (await response.json()) as { error?: { code: string } };
  return error === undefined ? [response.status] : [response.status, error.code];
}

describe("a subscription (PROTOCOL.md, section 6.2)", () => {
  it.each([
    ["jobs/*", ["jobs/*", "wakes/1"], [201]],
    ["jobs/*", ["jobs/**", "wakes/*"], [201]],
    ["jobs/*", ["**"], [201]],
    ["jobs/**", ["jobs/*", "wakes/1"], [403, "FORBIDDEN"]],
    ["**", ["jobs/**", "wakes/1"], [403, "FORBIDDEN"]],
    ["jobs/*", ["jobs/1", "wakes/1"], [403, "FORBIDDEN"]],
    ["jobs/*", ["jobs/*"], [403, "FORBIDDEN"]],
    ["jobs/*", [], [403, "FORBIDDEN"]],
  ])("of %s may be made by whom %j may subscribe: %j", async (pattern, claims, expected) => {
    const id = `made-${pattern}-${claims.join("-")}`.replaceAll(/\W/g, "_");
    expect(await put(id, { pattern }, await tokenFor(...claims))).toEqual(expected);
  });

  it("is not made by who may only read, shows no token, or a wrong one", async () => {
    expect(await put("x", { pattern: "jobs/*" }, await tokenTo("read", ["**"]))).toEqual([403, "FORBIDDEN"]);
    expect(await put("x", { pattern: "jobs/*" })).toEqual([401, "TOKEN_MISSING"]);
    expect(await put("x", { pattern: "jobs/*" }, "abc")).toEqual([401, "TOKEN_INVALID"]);
  });

  it("is seen, claimed and deleted by the same only, and others do not learn whether it is there", async () => {
    const mine = await tokenFor("jobs/*", "wakes/1");
    const others = await tokenFor("other/*");
    expect(await put("seen", { pattern: "jobs/*" }, mine)).toEqual([201]);
    const ask = async (path: string, method: string, token: string): Promise<number> => {
      const init = method === "POST" ? jsonBody({ worker: "w1" }) : { method };
      const headers = { ...("headers" in init ? init.headers : {}), "x-jid": token };
      return (await fetch(server.streamUrl(`__ds/subscriptions/${path}`), { ...init, headers })).status;
    };
    const nobody = await tokenTo("read", ["**"]);
    expect(await ask("seen", "GET", others)).toBe(403);
    expect(await ask("seen", "GET", nobody)).toBe(403);
    expect(await ask("none", "GET", nobody)).toBe(403);
    expect(await ask("seen/claim", "POST", others)).toBe(403);
    expect(await ask("seen", "DELETE", others)).toBe(403);
    expect(await ask("seen", "GET", mine)).toBe(200);
    expect(await ask("seen", "DELETE", mine)).toBe(204);
  });

  it("that names what the caller may not have is not shown or confirmed by a PUT of what it was", async () => {
    const mine = await tokenFor("jobs/*", "wakes/1");
    const description = "what was asked for";
    const asked = { pattern: "jobs/*", description };
    expect(await put("grown", asked, mine)).toEqual([201]);
    const link = { method: "POST", body: JSON.stringify({ streams: ["secret/1"] }) };
    expect((await server.asApp("__ds/subscriptions/grown/streams", link)).status).toBe(204);
    expect(await put("grown", asked, mine)).toEqual([403, "FORBIDDEN"]);
    // Refused before it is proposed: else it were 409, and a repeat had moved the base of its callbacks.
    expect(await put("grown", { pattern: "jobs/1" }, mine)).toEqual([403, "FORBIDDEN"]);
    expect(await put("grown", asked, await tokenFor("jobs/*", "wakes/1", "secret/1"))).toEqual([200]);
  });

  it("is made by the app over the internal listener, whatever the settings", async () => {
    const init = { ...jsonBody({ ...PULL, pattern: "**" }), method: "PUT" };
    expect((await server.asApp("__ds/subscriptions/app", init)).status).toBe(201);
  });

  it("is nobody's where nothing is set, and everybody's under `publicWrites`", async () => {
    for (const [streams, expected] of [
      [{}, 403],
      [{ publicStreams: true }, 403],
      [{ publicWrites: true }, 201],
    ] as const) {
      await using other = await startStreamServer({ streams });
      await other.asApp("wakes/1", { method: "PUT", headers: { "content-type": "application/json" } });
      const init = { ...jsonBody({ ...PULL, pattern: "jobs/*" }), method: "PUT" };
      expect((await fetch(other.streamUrl("__ds/subscriptions/s"), init)).status).toBe(expected);
    }
  });
});
