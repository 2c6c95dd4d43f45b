import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    durableStreams: {
      path: "/v1/stream",
      pollTimeoutMs: 500,
      sseTtlMs: 60_000,
      skipsAuthentication: false,
      publicStreams: true,
      publicWrites: true,
    },
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const create = async (name: string, headers: Record<string, string> = {}): Promise<void> => {
  const response = await fetch(`${server.url}/v1/stream/${name}`, { method: "PUT", headers });
  expect(response.status).toBe(201);
};

interface Listing {
  readonly path: string;
  readonly streams: readonly { readonly name: string }[];
  readonly next?: string;
}

async function list(query: string): Promise<Listing> {
  const response = await server.internal(`/_chanctl/streams?${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Listing;
}

describe("GET /_chanctl/streams", () => {
  it("tells the mount, and with `limit=0` nothing else", async () => {
    await create("mount");
    expect(await list("limit=0")).toEqual({ path: "/v1/stream", streams: [] });
  });

  it("gives every stream once, page after page, in the order of their names", async () => {
    const names = ["page/a", "page/a%20b", "page/a/b", "page/b", "page/c=1", "page/z"];
    for (const name of ["pagf", ...names, "pag"].toReversed()) await create(name);
    const seen: string[] = [];
    for (let after = ""; ;) {
      const { streams, next } = await list(`prefix=page/&limit=2&after=${encodeURIComponent(after)}`);
      seen.push(...streams.map(({ name }) => name));
      if (next === undefined) break;
      expect(streams).toHaveLength(2);
      after = next;
    }
    expect(seen).toEqual(names);
  });

  it("says how a stream is, and leaves out what is deleted or expired", async () => {
    await create("state/open", { "content-type": "text/plain; charset=utf-8", "stream-ttl": "60" });
    await create("state/closed", { "stream-closed": "true" });
    await fetch(`${server.url}/v1/stream/state/expired`, { method: "PUT", headers: { "stream-ttl": "0" } });
    await create("state/later", { "stream-expires-at": "2999-01-01T00:00:00Z" });
    await create("state/kept");
    await create("state/kept-fork", { "stream-forked-from": "/v1/stream/state/kept" });
    await fetch(`${server.url}/v1/stream/state/kept`, { method: "DELETE" });
    const common = { bytes: 0, nextOffset: expect.any(String) };
    const bytes = "application/octet-stream";
    expect((await list("prefix=state/")).streams).toEqual([
      { ...common, name: "state/closed", contentType: bytes, closed: true },
      { ...common, name: "state/kept-fork", contentType: bytes, closed: false },
      {
        ...common,
        name: "state/later",
        contentType: bytes,
        closed: false,
        expiresAt: "2999-01-01T00:00:00.000Z",
      },
      { ...common, name: "state/open", contentType: "text/plain", closed: false, ttlSecs: 60 },
    ]);
  });

  it.each(["limit=1001", "limit=-1", "limit=x", "prefix=%2F%2F", "prefix=.."])(
    "refuses %s with 400",
    async (query) => {
      const response = await server.internal(`/_chanctl/streams?${query}`);
      expect(response.status).toBe(400);
    },
  );

  it("is for the operator only", async () => {
    const stranger = await fetch(`${server.internalUrl}/_chanctl/streams`);
    expect(stranger.status).toBe(401);
    const atThePublicDoor = await fetch(`${server.url}/_chanctl/streams`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(atThePublicDoor.status).toBe(404);
  });

  it("says so where Durable Streams are off", async () => {
    await using off = await startTestServer();
    const response = await off.internal("/_chanctl/streams");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not_found", fix: expect.stringContaining("--ds") });
  });
});
