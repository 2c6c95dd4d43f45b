import { describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { LONG_POLL_MS, startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

// Each of these ends because the stream does: the long-poll would wait longer than the test may take.
const PATIENT_POLL = { streams: { pollTimeoutMs: LONG_POLL_MS } };

/** Two live readers of a stream that are waiting. */
async function waitLive({ user }: StreamServer, name: string) {
  const events = await openEvents(user.url(`${name}?offset=-1&live=sse`));
  await events.until(({ controls }) => controls().some(({ upToDate }) => upToDate));
  const poll = user.get(`${name}?offset=now&live=long-poll`);
  return { events, poll };
}

describe("a stream that is deleted (section 5.4)", () => {
  it("ends its event streams and answers its long-polls", async () => {
    await using server = await startStreamServer(PATIENT_POLL);
    const { user } = server;
    await user.put("gone", { body: "a" });
    const { events, poll } = await waitLive(server, "gone");
    expect((await user.delete("gone")).status).toBe(204);
    await events.ended;
    expect(events.controls().at(-1)).not.toHaveProperty("streamClosed");
    expect((await poll).status).toBe(404);
  });

  it("ends them where it is kept for its forks, and the fork's readers stay", async () => {
    await using server = await startStreamServer(PATIENT_POLL);
    const { user } = server;
    await user.put("source", { body: "a" });
    await user.put("fork", { headers: { "stream-forked-from": "/ds/source" } });
    const { events, poll } = await waitLive(server, "source");
    const fork = await waitLive(server, "fork");
    await user.delete("source");
    await events.ended;
    expect((await poll).status).toBe(410);
    await user.post("fork", { body: "b" });
    await fork.events.until(({ data }) => data() === "ab");
    expect(await (await fork.poll).text()).toBe("b");
    fork.events.close();
  });

  it("does not end the readers of the next stream at its path", async () => {
    await using server = await startStreamServer(PATIENT_POLL);
    const { user } = server;
    await user.put("again", { body: "old" });
    const old = await waitLive(server, "again");
    const [, , { events }] = await Promise.all([
      user.delete("again"),
      old.events.ended,
      user.put("again", { body: "new" }).then(() => waitUntilNew()),
    ]);
    await user.post("again", { body: "er" });
    await events.until(({ data }) => data() === "newer");
    expect([404, 410]).toContain((await old.poll).status);
    events.close();

    async function waitUntilNew() {
      while ((await (await user.get("again")).text()) !== "new") await user.put("again", { body: "new" });
      return { events: await openEvents(user.url("again?offset=-1&live=sse")) };
    }
  });
});

describe("a stream that expires (section 5.1)", () => {
  it("ends its event streams and answers its long-polls at its `Stream-Expires-At`", async () => {
    await using server = await startStreamServer(PATIENT_POLL);
    const { user } = server;
    const expiresAt = new Date(Date.now() + 2_000).toISOString();
    await user.put("timed", { body: "a", headers: { "stream-expires-at": expiresAt } });
    const { events, poll } = await waitLive(server, "timed");
    await events.ended;
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    expect((await poll).status).toBe(404);
  });

  it("is gone for whoever asks, and a PUT makes a new one, of another type too", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const expiresAt = new Date(Date.now() - 1_000).toISOString();
    await user.put("late", { body: "old", headers: { "stream-expires-at": expiresAt } });
    const refused = await Promise.all([
      user.get("late"),
      user.head("late"),
      user.post("late", { body: "b" }),
      user.delete("late"),
      user.put("fork-of-late", { headers: { "stream-forked-from": "/ds/late" } }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect((await user.put("late", { type: "application/json", body: "[1]" })).status).toBe(201);
    expect(await (await user.get("late")).text()).toBe("[1]");
  });

  it("stays 410 where it was deleted before, and is kept for its forks", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    await user.put("kept", { body: "a", headers: { "stream-expires-at": expiresAt } });
    const headers = { "stream-forked-from": "/ds/kept", "stream-ttl": "3600" };
    await user.put("outlives", { headers });
    await user.delete("kept");
    while (Date.now() <= Date.parse(expiresAt) + 100) await user.head("outlives");
    expect((await user.get("kept")).status).toBe(410);
    expect((await user.put("kept")).status).toBe(409);
    expect(await (await user.get("outlives")).text()).toBe("a");
  });
});
