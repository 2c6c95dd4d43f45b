import { describe, expect, it } from "vitest";
import type { Page, PageRequest, Reader } from "#src/broker/reader.ts";
import { ORIGIN } from "#src/protocol/offset.ts";
import { openFileStore } from "../support/file-store.ts";
import { append, NOON } from "../support/operations.ts";

const EVERYTHING = { notBefore: 0, maxEntries: 100, maxBytes: 1_000_000 };

function page(reader: Reader, position: number, options: Partial<PageRequest> = {}): Page {
  return reader.page("chat", { after: { incarnation: 1, position }, ...EVERYTHING, ...options });
}

/** The positions of a page's messages, or what it is instead. */
function positions(found: Page): readonly number[] | string {
  return found.kind === "entries" ? found.entries.map(({ position }) => position) : found.kind;
}

const anyOf = (limit: number) => ({ maxTtlMs: 50, limit, isUnused: () => true });

describe("Reader", () => {
  it("gives what comes after an offset, in order and as it was stored", () => {
    const { reader, apply } = openFileStore();
    apply(append({ texts: ["1", "2"] }), append({ path: "chat/room=a" }), append({ texts: ["3"] }));
    const found = page(reader, 1);
    expect(positions(found)).toEqual([2, 3]);
    expect(found).toMatchObject({
      entries: [{ body: expect.stringContaining('"data":2,') }, {}],
      isTail: true,
    });
  });

  it("ends a page at `maxEntries`, and with the message that exceeds `maxBytes`", () => {
    const { reader, apply } = openFileStore();
    apply(append({ texts: ["1", "2", "3", "4"] }));
    expect(positions(page(reader, 0, { maxEntries: 3 }))).toEqual([1, 2, 3]);
    expect(positions(page(reader, 0, { maxBytes: 150 }))).toEqual([1, 2]);
    expect(positions(page(reader, 0, { maxBytes: 0 }))).toEqual([1]);
  });

  it("counts the bytes of messages, not their characters", () => {
    const { reader, apply } = openFileStore();
    const text = JSON.stringify("漢".repeat(100));
    apply(append({ texts: [text, text, text] }));
    // Each is about 350 bytes and 150 characters.
    expect(positions(page(reader, 0, { maxBytes: 300 }))).toEqual([1]);
  });

  it("says `end` at the tail, and of a stream that was never written", () => {
    const { reader, apply } = openFileStore();
    expect(reader.page("chat", { after: ORIGIN, ...EVERYTHING })).toEqual({ kind: "end" });
    apply(append());
    expect(positions(page(reader, 1))).toBe("end");
  });

  it("reads all from the origin while nothing is gone", () => {
    const { reader, apply } = openFileStore();
    apply(append({ texts: ["1", "2"] }));
    expect(positions(reader.page("chat", { after: ORIGIN, ...EVERYTHING }))).toEqual([1, 2]);
  });

  it("says `gone` where the message that comes next was pruned, and only there", () => {
    const { reader, apply } = openFileStore();
    apply(append({ texts: ["1", "2", "3"] }), { kind: "trim", incarnation: 1, position: 2 });
    expect([0, 1, 2, 3].map((position) => positions(page(reader, position)))).toEqual([
      "gone",
      "gone",
      [3],
      "end",
    ]);
    expect(reader.page("chat", { after: ORIGIN, ...EVERYTHING }).kind).toBe("gone");
  });

  it("says `end` at the tail of a stream of which everything was pruned", () => {
    const { reader, apply } = openFileStore();
    apply(append({ texts: ["1", "2"] }), { kind: "trim", incarnation: 1, position: 2 });
    expect([1, 2].map((position) => positions(page(reader, position)))).toEqual(["gone", "end"]);
  });

  it("decides by time, before anything is pruned", () => {
    const { reader, apply } = openFileStore();
    apply(append({ time: NOON }), append({ time: NOON + 10 }));
    expect(positions(page(reader, 0, { notBefore: NOON }))).toEqual([1, 2]);
    expect(positions(page(reader, 0, { notBefore: NOON + 1 }))).toBe("gone");
    expect(positions(page(reader, 1, { notBefore: NOON + 1 }))).toEqual([2]);
    expect(positions(page(reader, 2, { notBefore: NOON + 99 }))).toBe("end");
  });

  it("says `gone` ahead of the tail, in another life, and in another stream", () => {
    const { reader, apply } = openFileStore();
    apply(append(), append({ path: "other" }));
    expect(positions(page(reader, 2))).toBe("gone");
    expect(positions(page(reader, 1, { after: { incarnation: 2, position: 1 } }))).toBe("gone");
    expect(positions(page(reader, 0, { after: { incarnation: 0, position: 1 } }))).toBe("gone");
    apply({ kind: "drop", path: "chat", incarnation: 1, tail: 1 });
    expect(positions(page(reader, 1))).toBe("gone");
    expect(positions(page(reader, 0, { after: ORIGIN }))).toBe("gone");
    expect(positions(page(reader, 0, { after: { incarnation: 3, position: 0 } }))).toBe("end");
  });

  it("finds the first message that is not older than a time", () => {
    const { reader, apply } = openFileStore();
    for (const time of [0, 10, 10, 20, 30]) apply(append({ time: NOON + time }));
    apply({ kind: "trim", incarnation: 1, position: 1 });
    const stream = reader.stream("chat");
    if (stream === undefined) throw new Error("the stream is not there");
    const found = [-1, 0, 10, 11, 20, 30, 31].map((time) => reader.positionAtTime(stream, NOON + time));
    expect(found).toEqual([1, 1, 1, 3, 3, 4, 5]);
  });

  it("lists the streams that are over their replay window, most overdue first", () => {
    const { reader, apply } = openFileStore();
    apply(
      append({ path: "young", time: NOON + 90 }),
      append({ path: "old", time: NOON, retention: { replayWindowMs: 50 } }),
      append({ path: "older", time: NOON, retention: { replayWindowMs: 10 } }),
      append({ path: "empty", time: NOON, retention: { replayWindowMs: 10 } }),
      { kind: "trim", incarnation: 4, position: 1 },
    );
    expect(reader.due.overWindow(NOON + 100, 10).map(({ path }) => path)).toEqual(["older", "old"]);
    expect(reader.due.overWindow(NOON + 100, 1).map(({ path }) => path)).toEqual(["older"]);
    expect(reader.due.overWindow(NOON + 10, 10)).toEqual([]); // as old as the window is not over it
  });

  it("lists the streams that hold more than they may, with the place that brings them under it", () => {
    const { reader, apply } = openFileStore();
    const texts = ["1", "2", "3", "4", "5"];
    apply(
      append({ path: "free", texts }),
      append({ path: "counted", texts, retention: { maxMessages: 2 } }),
      append({
        path: "weighed",
        texts: [`"${"x".repeat(5_000)}"`, ...texts],
        retention: { maxBytes: 1_000 },
      }),
      append({ path: "both", texts, retention: { maxMessages: 4, maxBytes: 1 } }),
    );
    const over = reader.due.overLimit({ afterId: 0, limit: 10 });
    expect(over.map((stream) => [stream.path, reader.due.positionUnderLimit(stream)])).toEqual([
      ["counted", 3],
      ["weighed", 1],
      ["both", 5],
    ]);
    const next = reader.due.overLimit({ afterId: over[0]?.id ?? 0, limit: 1 });
    expect(next.map(({ path }) => path)).toEqual(["weighed"]);
  });

  it("looks past streams that are in use for those that are not", () => {
    const { reader, apply } = openFileStore();
    const paths = ["a", "b", "c"];
    apply(...paths.map((path) => append({ path, retention: { inactivityTtlMs: 50 } })));
    const isUnused = ({ path }: { path: string }): boolean => path === "c";
    expect(
      reader.due.unused(NOON + 100, { maxTtlMs: 50, limit: 1, isUnused }).map(({ path }) => path),
    ).toEqual(["c"]);
  });

  it("lists the streams that nobody published to for their inactivity TTL", () => {
    const { reader, apply } = openFileStore();
    apply(
      append({ path: "kept" }),
      append({ path: "unused", retention: { inactivityTtlMs: 50 } }),
      append({ path: "used", time: NOON + 60, retention: { inactivityTtlMs: 50 } }),
    );
    expect(reader.due.unused(NOON + 100, anyOf(10)).map(({ path }) => path)).toEqual(["unused"]);
    expect(reader.due.unused(NOON + 100, { ...anyOf(10), maxTtlMs: 49 })).toEqual([]);
    apply({ kind: "drop", path: "unused", incarnation: 2, tail: 1 });
    expect(reader.due.unused(NOON + 100, anyOf(10))).toEqual([]);
  });

  it("knows the time of the last message of all", () => {
    const { reader, apply } = openFileStore();
    expect(reader.lastTime()).toBe(0);
    apply(append({ time: NOON + 5 }), append({ path: "other", time: NOON }));
    expect(reader.lastTime()).toBe(NOON + 5);
  });
});
