import Database from "better-sqlite3";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { openEvents } from "../support/stream-events.ts";
import { startStreamServer } from "../support/streams.ts";

/** A use is written down once a tenth of this has passed since the last: after 2 s. */
const TTL_SECS = 20;
const NOTED_MS = (TTL_SECS / 10) * 1_000;

describe("which requests begin a TTL anew (section 5.1)", () => {
  it("GET in each mode, POST and a close do; HEAD does not", async () => {
    await using server = await startStreamServer({ streams: { pollTimeoutMs: 20 } });
    const { user } = server;
    const uses: Record<string, (name: string) => Promise<unknown>> = {
      get: (name) => user.get(name),
      now: (name) => user.get(`${name}?offset=now`),
      poll: (name) => user.get(`${name}?offset=now&live=long-poll`),
      sse: async (name) => (await openEvents(user.url(`${name}?offset=now&live=sse`))).close(),
      post: (name) => user.post(name, { body: "a" }),
      close: (name) => user.post(name, { headers: { "stream-closed": "true" } }),
      head: (name) => user.head(name),
    };
    for (const name of Object.keys(uses))
      await user.put(name, { headers: { "stream-ttl": String(TTL_SECS) } });
    using db = open(join(server.root, ".chanctl", "channels.sqlite"));
    const before = db.touchedAt();
    await delay(NOTED_MS + 100);
    for (const [name, use] of Object.entries(uses)) await use(name);
    const touched = Object.keys(uses).filter((name) => name !== "head");
    await vi.waitFor(() => {
      const after = db.touchedAt();
      expect(Object.keys(uses).filter((name) => after.get(`/${name}`) !== before.get(`/${name}`))).toEqual(
        touched,
      );
    }, PATIENT);
  });

  it("HEAD and a create say the TTL as it was asked for; malformed ones are refused", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const created = await user.put("said", { headers: { "stream-ttl": "3600" } });
    expect(created.headers.get("stream-ttl")).toBe("3600");
    expect((await user.head("said")).headers.get("stream-ttl")).toBe("3600");
    for (const ttl of ["+1", "01", "1.0", "1e3", "-1", " ", "99999999999"])
      expect((await user.put("bad", { headers: { "stream-ttl": ttl } })).status, ttl).toBe(400);
    const both = { "stream-ttl": "1", "stream-expires-at": "2099-01-01T00:00:00Z" };
    expect((await user.put("bad", { headers: both })).status).toBe(400);
  });
});

/** When each stream was last used, by what is stored. */
function open(file: string): { touchedAt(): Map<string, number> } & Disposable {
  const db = new Database(file, { readonly: true });
  const rows = db.prepare<[], { path: string; touched_at: number }>("SELECT path, touched_at FROM streams");
  return {
    touchedAt: () => new Map(rows.all().map(({ path, touched_at }) => [path, touched_at])),
    [Symbol.dispose]: () => void db.close(),
  };
}
