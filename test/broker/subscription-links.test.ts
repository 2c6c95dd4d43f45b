import { describe, expect, it } from "vitest";
import { encodeOffset } from "#src/protocol/offset.ts";
import { openMemoryStore } from "../support/memory-store.ts";
import type { MemoryStore } from "../support/memory-store.ts";
import { append, resultOf } from "../support/operations.ts";
import { create, incarnationOf, subscribe, write } from "../support/subscriptions.ts";

interface Link {
  readonly path: string;
  readonly acked: number;
  readonly incarnation: number;
  readonly is_explicit: number;
  readonly is_glob: number;
  readonly is_pending: number;
}

function linksOf(store: MemoryStore): Link[] {
  return store.dump()["subscription_links"] as Link[];
}

function pathsOf(store: MemoryStore): string[] {
  return linksOf(store).map(({ path }) => path);
}

describe("the streams of a subscription (6.2)", () => {
  it("are those that exist and match, at their tail: history is not replayed", () => {
    const store = openMemoryStore();
    store.apply(create("/events/a", { bodies: ["1", "2"] }), create("/other/b"), create("/events/a/deeper"));
    store.apply(subscribe());
    expect(linksOf(store)).toMatchObject([{ path: "/events/a", acked: 2, is_glob: 1, is_pending: 0 }]);
  });

  it("are linked before the first append of a stream that is created later: its initial body is pending", () => {
    const store = openMemoryStore();
    store.apply(subscribe());
    store.apply(create("/events/empty"), create("/events/new", { bodies: ["1"] }), create("/elsewhere"));
    expect(linksOf(store)).toMatchObject([
      { path: "/events/empty", acked: 0, is_pending: 0 },
      { path: "/events/new", acked: 0, is_pending: 1 },
    ]);
    store.apply(write("/events/empty", "1"));
    expect(linksOf(store)[0]).toMatchObject({ path: "/events/empty", acked: 0, is_pending: 1 });
  });

  it.each([
    ["**", ["/a", "/events", "/events/a", "/events/a/b", "/events2"]],
    ["*", ["/a", "/events", "/events2"]],
    ["events/**", ["/events", "/events/a", "/events/a/b"]],
    ["events/*", ["/events/a"]],
    ["**/a", ["/a", "/events/a"]],
    ["*/a/**", ["/events/a", "/events/a/b"]],
    ["events", ["/events"]],
    ["nothing/**", []],
  ])("cover what `%s` means, whether they come before or after", (pattern, expected) => {
    const streams = ["/a", "/events", "/events/a", "/events/a/b", "/events2"].map((path) => create(path));
    const before = openMemoryStore();
    before.apply(...streams, subscribe({ config: { pattern } }));
    expect(pathsOf(before)).toEqual(expected);
    const after = openMemoryStore();
    after.apply(subscribe({ config: { pattern } }), ...streams);
    expect(pathsOf(after)).toEqual(expected);
  });

  it("take a star as itself where it is written `%2A`", () => {
    const store = openMemoryStore();
    store.apply(create("/events/*"), create("/events/a"), subscribe({ config: { pattern: "events/%2A" } }));
    expect(pathsOf(store)).toEqual(["/events/*"]);
  });

  it("never are a channel's", () => {
    const store = openMemoryStore();
    store.apply(append({ path: "events/room=a" }), subscribe({ config: { pattern: "**" } }));
    store.apply(append({ path: "events/room=b" }));
    expect(pathsOf(store)).toEqual([]);
  });

  it("never are streams that wakes are written to, its own or another's: they would wake each other without end", () => {
    const store = openMemoryStore();
    store.apply(create("/wake/a"), create("/wake/c"));
    const pattern = "**";
    store.apply(subscribe({ id: "a", config: { pattern, wakeStream: "/wake/a" } }));
    expect(pathsOf(store)).toEqual(["/wake/c"]);
    store.apply(subscribe({ id: "b", config: { pattern, wakeStream: "/wake/b" } }), create("/wake/b"));
    store.apply(subscribe({ id: "c", config: { pattern, wakeStream: "/wake/c" } }));
    expect(pathsOf(store)).toEqual([]);
  });

  it("cover such a stream again when nobody is woken by it any more", () => {
    const store = openMemoryStore();
    store.apply(create("/wake/b", { bodies: ["1"] }));
    store.apply(subscribe({ id: "a", config: { pattern: "**", wakeStream: "/wake/a" } }));
    store.apply(subscribe({ id: "b", config: { pattern: "x", wakeStream: "/wake/b" } }));
    store.apply({ kind: "unsubscribe", subscription: incarnationOf(store, "b") });
    expect(linksOf(store)).toMatchObject([{ path: "/wake/b", acked: 1, is_pending: 0 }]);
  });

  it("begin where a fork branches off: what it inherits was in the source", () => {
    const store = openMemoryStore();
    store.apply(create("/source", { bodies: ["1", "2", "3"] }), subscribe());
    store.apply(create("/events/fork", { fork: { source: "/source", subOffset: 0 } }));
    expect(linksOf(store)).toMatchObject([{ path: "/events/fork", acked: 3, is_pending: 0 }]);
    const [, result] = store.apply(write("/events/fork", "4"), {
      kind: "claim",
      subscription: incarnationOf(store),
      worker: "w",
      time: 0,
    });
    const [link] = resultOf("claimed", result).streams;
    expect(link).toMatchObject({ isPending: true, ackedOffset: { incarnation: 1, position: 3 } });
    expect(encodeOffset(link?.tailOffset ?? { incarnation: 0, position: 0 })).toBe(
      "0000000000000003_0000000000000004",
    );
  });

  it("end with their stream; the next one at the path is linked from its start", () => {
    const store = openMemoryStore();
    store.apply(subscribe(), create("/events/a", { bodies: ["1", "2"] }), {
      kind: "delete",
      path: "/events/a",
    });
    expect(pathsOf(store)).toEqual([]);
    store.apply(create("/events/a", { bodies: ["3"] }));
    expect(linksOf(store)).toMatchObject([{ path: "/events/a", acked: 0, is_pending: 1 }]);
  });

  it("end with a stream that is kept for its forks only", () => {
    const store = openMemoryStore();
    store.apply(create("/events/a", { bodies: ["1"] }));
    store.apply(create("/fork", { fork: { source: "/events/a", subOffset: 0 } }));
    store.apply(subscribe({ config: { pattern: "events/**" } }), write("/events/a", "2"));
    store.apply({ kind: "delete", path: "/events/a" });
    expect(pathsOf(store)).toEqual([]);
  });
});

describe("the streams that a subscription names (6.4)", () => {
  const named = subscribe({ streams: ["/manual/a"] });

  it("are linked at their tail, and before they exist", () => {
    const store = openMemoryStore();
    store.apply(create("/manual/a", { bodies: ["1"] }), named);
    store.apply({ kind: "link-streams", subscription: incarnationOf(store), streams: ["/manual/b"] });
    expect(linksOf(store)).toMatchObject([
      { path: "/manual/a", acked: 1, is_explicit: 1, is_pending: 0 },
      { path: "/manual/b", acked: 0, incarnation: 0, is_explicit: 1, is_pending: 0 },
    ]);
    store.apply(create("/manual/b", { bodies: ["1"] }));
    expect(linksOf(store)[1]).toMatchObject({ path: "/manual/b", acked: 0, is_pending: 1 });
  });

  it("stay when their stream is deleted, without pending work, and begin anew with the next", () => {
    const store = openMemoryStore();
    store.apply(create("/manual/a"), named, write("/manual/a", "1"), { kind: "delete", path: "/manual/a" });
    expect(linksOf(store)).toMatchObject([{ path: "/manual/a", incarnation: 0, acked: 0, is_pending: 0 }]);
    store.apply(create("/manual/a", { bodies: ["1"] }));
    expect(linksOf(store)).toMatchObject([{ path: "/manual/a", acked: 0, is_pending: 1 }]);
  });

  it("keep their cursor when they are named again", () => {
    const store = openMemoryStore();
    store.apply(create("/manual/a"), named, write("/manual/a", "1"));
    const before = linksOf(store);
    store.apply({ kind: "link-streams", subscription: incarnationOf(store), streams: ["/manual/a"] });
    expect(linksOf(store)).toEqual(before);
  });

  it("go when they are taken away, but for what the pattern covers", () => {
    const store = openMemoryStore();
    store.apply(create("/events/a"), create("/manual/a"));
    store.apply(subscribe({ streams: ["/events/a", "/manual/a"], config: { pattern: "events/*" } }));
    for (const stream of ["/events/a", "/manual/a", "/manual/a", "/never"]) {
      store.apply({ kind: "unlink-stream", subscription: incarnationOf(store), stream });
    }
    expect(linksOf(store)).toMatchObject([{ path: "/events/a", is_explicit: 0, is_glob: 1 }]);
  });

  it("are a bounded number", () => {
    const store = openMemoryStore();
    store.apply(named);
    const many = Array.from({ length: 10_000 }, (_, index) => `/s/${index}`);
    const [result] = store.apply({ kind: "link-streams", subscription: incarnationOf(store), streams: many });
    expect(result).toMatchObject({ kind: "subscription-refused", reason: "too-many-streams" });
  });

  it("are not the wake stream", () => {
    const store = openMemoryStore();
    const [first] = store.apply(subscribe({ streams: ["/wake/pool"] }));
    store.apply(subscribe());
    const [second] = store.apply({
      kind: "link-streams",
      subscription: incarnationOf(store),
      streams: ["/wake/pool"],
    });
    expect([first, second]).toMatchObject([{ reason: "own-wake-stream" }, { reason: "own-wake-stream" }]);
  });
});
