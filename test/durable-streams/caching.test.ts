import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheControl } from "#src/transports/durable-streams/stream-headers.ts";
import { nextOffset, startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer()));
afterAll(() => server[Symbol.asyncDispose]());

describe("entity tags (section 10.1)", () => {
  it("answer 304 without a body while nothing has come", async () => {
    const { user } = server;
    await user.put("etag", { body: "abc" });
    const first = await user.get("etag");
    const again = await user.get("etag", { "if-none-match": etagOf(first) });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    expect(etagOf(again)).toBe(etagOf(first));
    expect(nextOffset(again)).toBe(nextOffset(first));
  });

  it("are another stream's where a stream was deleted and made again with as many bytes", async () => {
    const { user } = server;
    await user.put("reborn", { body: "old" });
    const tag = etagOf(await user.get("reborn"));
    await user.delete("reborn");
    await user.put("reborn", { body: "new" });
    const response = await user.get("reborn", { "if-none-match": tag });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("new");
  });

  it("change when the stream is closed and nothing is added", async () => {
    const { user } = server;
    await user.put("closing", { body: "abc" });
    const [whole, tail] = [await user.get("closing"), await user.get("closing?offset=now")];
    const atTail = await user.get(`closing?offset=${nextOffset(tail)}`);
    await user.post("closing", { headers: { "stream-closed": "true" } });
    for (const [path, tag] of [
      ["closing", etagOf(whole)],
      [`closing?offset=${nextOffset(tail)}`, etagOf(atTail)],
    ] as const) {
      const response = await user.get(path, { "if-none-match": tag });
      expect(response.status, path).toBe(200);
      expect(response.headers.get("stream-closed")).toBe("true");
    }
  });

  it("change when something is added, and match weakly, in a list and as `*`", async () => {
    const { user } = server;
    await user.put("growing", { body: "a" });
    const tag = etagOf(await user.get("growing"));
    for (const header of [`W/${tag}`, `"x", ${tag}`, "*"])
      expect((await user.get("growing", { "if-none-match": header })).status, header).toBe(304);
    await user.post("growing", { body: "b" });
    expect((await user.get("growing", { "if-none-match": tag })).status).toBe(200);
  });

  it("differ between a fork that was deleted and another one that was made in its place", async () => {
    const { user } = server;
    await user.put("source", { body: "abc" });
    const fork = { headers: { "stream-forked-from": "/ds/source" } };
    await user.put("fork", { ...fork, body: "one" });
    const tag = etagOf(await user.get("fork"));
    await user.delete("fork");
    await user.put("fork", { ...fork, body: "two" });
    const response = await user.get("fork", { "if-none-match": tag });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("abctwo");
  });

  it("are on every read but `offset=now`", async () => {
    const { user } = server;
    await user.put("tagged");
    expect((await user.get("tagged")).headers.has("etag")).toBe(true);
    expect((await user.get("tagged?offset=now")).headers.has("etag")).toBe(false);
  });
});

describe("cache headers (sections 8, 10.1, 12.7)", () => {
  it("let everyone keep what was read of a public stream", async () => {
    await server.user.put("kept", { body: "a" });
    const response = await server.user.get("kept");
    expect(response.headers.get("cache-control")).toBe("public, max-age=60, stale-while-revalidate=300");
  });

  it("let nobody keep it for others where the stream is not public", () => {
    expect(cacheControl({ isPublic: false, isEmpty: false })).toMatch(/^private, max-age=60/);
    expect(cacheControl({ isPublic: false, isEmpty: true })).toMatch(/^private, no-cache/);
  });

  it("let nobody answer for a minute that there is nothing new", async () => {
    await server.user.put("empty");
    const response = await server.user.get("empty");
    expect(response.headers.get("cache-control")).toBe("public, no-cache");
  });

  it.each([
    ["`offset=now`", 200, () => server.user.get("none?offset=now")],
    ["HEAD", 200, () => server.user.head("none")],
    ["a long-poll that ended with nothing", 204, () => server.user.get("none?offset=now&live=long-poll")],
    ["an error", 404, () => server.user.get("not-there")],
    ["a create", 200, () => server.user.put("none")],
  ] as const)("are `no-store` for %s", async (_, status, ask) => {
    await server.user.put("none");
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("say `nosniff` and who may embed on every answer, errors too", async () => {
    const { user } = server;
    await user.put("safe", { body: "a" });
    const answers = await Promise.all([
      user.get("safe"),
      user.get("safe?offset=now"),
      user.get("safe?offset=now&live=long-poll"),
      user.head("safe"),
      user.post("safe", { body: "b" }),
      user.put("safe", { type: "application/json" }),
      user.get("safe?offset=nonsense"),
      user.get("not-there"),
      user.get("%ff"),
      user.delete("not-there"),
    ]);
    for (const { url, status, headers } of answers) {
      expect(headers.get("x-content-type-options"), `${status} ${url}`).toBe("nosniff");
      expect(headers.get("cross-origin-resource-policy"), `${status} ${url}`).toBe("cross-origin");
    }
  });
});

function etagOf(response: Response): string {
  const etag = response.headers.get("etag");
  if (etag === null) throw new Error(`${response.status} ${response.url} has no entity tag`);
  return etag;
}
