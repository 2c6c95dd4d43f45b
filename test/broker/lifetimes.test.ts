import { describe, expect, it } from "vitest";
import type { StreamState } from "#src/broker/streams.ts";
import { openStore } from "../support/store.ts";
import { NOON } from "../support/operations.ts";
import { openTimedStreams } from "../support/timed-streams.ts";
import type { TimedStreams } from "../support/timed-streams.ts";
import { CollectingSink } from "../support/collecting-sink.ts";

const PATH = "/timed";
const TTL_MS = 60_000;
const CREATE = { path: PATH, mediaType: "application/json", closes: false, bodies: [] };
const WRITE = { ...CREATE, bodies: ["1"] };

async function openTimed(): Promise<TimedStreams> {
  const timed = openTimedStreams(await openStore());
  await timed.streams.create({ ...CREATE, ttlMs: TTL_MS });
  return timed;
}

/** What a GET does. */
function read({ streams }: TimedStreams): StreamState | undefined {
  const state = streams.find(PATH);
  if (state !== undefined) streams.use(state);
  return state;
}

describe("a stream with a TTL (PROTOCOL.md, section 5.1)", () => {
  it("is there until its TTL has passed without a use, and gone from that moment", async () => {
    const timed = await openTimed();
    timed.pass(TTL_MS - 1);
    expect(timed.streams.find(PATH)).toBeDefined();
    timed.pass(1);
    expect(timed.streams.find(PATH)).toBeUndefined();
    expect(await timed.streams.write(WRITE)).toEqual({ kind: "refused", reason: "unknown" });
  });

  it("begins its time anew with a read, an append and a close, and not with a look at it", async () => {
    const uses = [
      read,
      (timed: TimedStreams) => timed.streams.write(WRITE),
      (timed: TimedStreams) => timed.streams.write({ ...CREATE, closes: true }),
      (timed: TimedStreams) =>
        timed.streams.waitBeyond(PATH, {
          offset: timed.streams.find(PATH)?.tailOffset ?? { incarnation: 0, position: 0 },
          signal: AbortSignal.abort(),
        }),
    ];
    for (const use of uses) {
      const timed = await openTimed();
      timed.pass(TTL_MS - 1);
      await use(timed);
      timed.pass(TTL_MS - 1);
      expect(timed.streams.find(PATH), String(use)).toBeDefined();
      timed.pass(1);
      expect(timed.streams.find(PATH), String(use)).toBeUndefined();
    }
  });

  it("does not expire while somebody follows it, and has its whole TTL from when they leave", async () => {
    const timed = await openTimed();
    const followed = timed.streams.follow({
      path: PATH,
      start: { kind: "live" },
      replayWindowMs: () => TTL_MS,
    });
    const leaving = new AbortController();
    const run = followed.run(new CollectingSink(), leaving.signal);
    timed.pass(10 * TTL_MS);
    await timed.maintenance.run();
    expect(timed.streams.find(PATH)).toBeDefined();
    leaving.abort();
    await run;
    followed.close();
    timed.pass(TTL_MS - 1);
    expect(timed.streams.find(PATH)).toBeDefined();
    timed.pass(1);
    expect(timed.streams.find(PATH)).toBeUndefined();
  });

  it("is deleted when its time is over; a PUT before that makes way in the same commit", async () => {
    const timed = await openTimed();
    await timed.streams.write(WRITE);
    timed.pass(TTL_MS);
    expect(await timed.streams.create(CREATE)).toMatchObject({
      kind: "created",
      isNew: true,
      tail: { position: 0 },
    });
    const other = await openTimed();
    other.pass(TTL_MS);
    await other.maintenance.run();
    expect(other.proposed.filter(({ kind }) => kind === "delete")).toHaveLength(1);
    expect(await other.streams.delete(PATH)).toEqual({ kind: "refused", reason: "unknown" });
  });

  it("keeps an append that was on its way when its end was noticed", async () => {
    const timed = await openTimed();
    timed.pass(TTL_MS - 1);
    const writing = timed.streams.write(WRITE);
    timed.pass(1);
    await timed.maintenance.run();
    expect(await writing).toMatchObject({ kind: "written" });
    expect(timed.streams.find(PATH)).toMatchObject({ tail: 1 });
  });

  it("ends its followers when it is deleted because of its `Stream-Expires-At`", async () => {
    const timed = openTimedStreams(await openStore());
    await timed.streams.create({ ...CREATE, expiresAt: NOON + 1_000 });
    const followed = timed.streams.follow({
      path: PATH,
      start: { kind: "live" },
      replayWindowMs: () => TTL_MS,
    });
    const run = followed.run(new CollectingSink(), new AbortController().signal);
    timed.pass(1_000);
    expect(timed.streams.find(PATH)).toBeUndefined();
    await timed.maintenance.run();
    expect(await run).toBe("deleted");
    followed.close();
  });

  it("writes down a use at most once in a tenth of its TTL, however often it is read", async () => {
    const timed = await openTimed();
    const commits = (): number => timed.proposed.filter(({ kind }) => kind === "touch").length;
    for (let reads = 0; reads < 10_000; reads += 1) {
      timed.pass(TTL_MS / 2_000);
      expect(read(timed)).toBeDefined();
    }
    // Five TTLs have passed.
    expect(commits()).toBeLessThanOrEqual(50);
    expect(commits()).toBeGreaterThanOrEqual(40);
  });

  it("is used no more once it is deleted, though it is kept for a fork", async () => {
    const timed = await openTimed();
    await timed.streams.create({ ...CREATE, path: "/fork", fork: { source: PATH, subOffset: 0 } });
    await timed.streams.delete(PATH);
    timed.pass(TTL_MS / 2);
    expect(read(timed)).toMatchObject({ isDeleted: true });
    expect(timed.proposed.filter(({ kind }) => kind === "touch")).toEqual([]);
  });

  it("is used without a commit where it has no TTL", async () => {
    const timed = openTimedStreams(await openStore());
    await timed.streams.create(CREATE);
    for (let reads = 0; reads < 100; reads += 1) {
      timed.pass(60_000);
      read(timed);
    }
    expect(timed.proposed.map(({ kind }) => kind)).toEqual(["create"]);
  });

  it("has its whole TTL from a restart on, for uses that were not written down", async () => {
    const store = await openStore();
    const before = openTimedStreams(store);
    await before.streams.create({ ...CREATE, ttlMs: TTL_MS });
    before.pass(TTL_MS / 20);
    read(before);
    await before.maintenance.close();
    const after = openTimedStreams(store, { startsAt: NOON + 10 * TTL_MS });
    await after.maintenance.run();
    expect(after.streams.find(PATH)).toBeDefined();
    after.pass(TTL_MS - 1);
    expect(after.streams.find(PATH)).toBeDefined();
    after.pass(1);
    expect(after.streams.find(PATH)).toBeUndefined();
  });

  it("cannot be forked when its time is over, and is gone then", async () => {
    const timed = await openTimed();
    timed.pass(TTL_MS);
    const fork = { source: PATH, subOffset: 0 };
    const result = await timed.streams.create({ path: "/fork", closes: false, bodies: [], fork });
    expect(result).toEqual({ kind: "refused", reason: "source-unknown" });
  });
});
