import { describe, expect, it } from "vitest";
import type { Operation } from "#src/broker/operation.ts";
import { replayWindowExceeded, resolveStartOffset } from "#src/broker/start-offset.ts";
import { encodeOffset, ORIGIN } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import type { Start } from "#src/protocol/start.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { openFileStore } from "../support/file-store.ts";
import { append, NOON } from "../support/operations.ts";

const HOUR = 3_600_000;
/** Five messages in `chat`, one a minute from noon, and one in another stream. */
const HISTORY: readonly Operation[] = [
  ...[0, 1, 2, 3, 4].map((minute) => append({ time: NOON + minute * 60_000 })),
  append({ path: "other" }),
];

interface Reading {
  readonly path?: string;
  /** Minutes after noon. */
  readonly minute?: number;
  readonly replayWindowMs?: number;
}

function afterId(position: number, incarnation = 1): Start {
  return { kind: "after", offset: { incarnation, position } };
}

/** A reader of a store with these operations; an answer is a position, or the fields of a 410. */
function readerOf(...operations: readonly Operation[]) {
  const { reader, apply } = openFileStore();
  apply(...operations);
  return (start: Start, { path = "chat", minute = 5, replayWindowMs = HOUR }: Reading = {}): unknown => {
    const now = NOON + minute * 60_000;
    try {
      return encodeOffset(resolveStartOffset(reader, { path, start, now, replayWindowMs }));
    } catch (error) {
      if (!(error instanceof ChanctlError)) throw error;
      expect([error.code, error.status, error.closeCode]).toEqual(["replay_window_exceeded", 410, 4410]);
      return error.fields;
    }
  };
}

const at = (position: number, incarnation = 1): string => encodeOffset({ incarnation, position });
const gone = (oldest: Offset, newest: Offset) => ({
  oldest: encodeOffset(oldest),
  newest: encodeOffset(newest),
});
const goneIn = (oldest: number, newest: number, incarnation = 1) =>
  gone({ incarnation, position: oldest }, { incarnation, position: newest });

const trim = (position: number): Operation => ({ kind: "trim", incarnation: 1, position });
const DROP: Operation = { kind: "drop", path: "chat", incarnation: 1, tail: 5 };

describe("where a reader begins", () => {
  it("is the tail without an id", () => {
    expect(readerOf(...HISTORY)({ kind: "live" })).toBe(at(5));
  });

  it("is after the id that it has", () => {
    const resolve = readerOf(...HISTORY);
    expect([0, 3, 5].map((position) => resolve(afterId(position)))).toEqual([at(0), at(3), at(5)]);
  });

  it("is the oldest retained message for `start`", () => {
    expect(readerOf(...HISTORY)({ kind: "oldest" })).toBe(at(0));
    expect(readerOf(...HISTORY, trim(3))({ kind: "oldest" })).toBe(at(3));
    expect(readerOf(...HISTORY)({ kind: "oldest" }, { replayWindowMs: 2 * 60_000 })).toBe(at(3));
  });

  it("goes back a number of messages, as far as there are any", () => {
    const resolve = readerOf(...HISTORY, trim(1));
    const rewound = [0, 2, 4, 5, 999].map((count) => resolve({ kind: "last-messages", count }));
    expect(rewound).toEqual([at(5), at(3), at(1), at(1), at(1)]);
  });

  it("goes back a duration", () => {
    const resolve = readerOf(...HISTORY);
    const rewound = [0, 1, 2, 99].map((minutes) =>
      resolve({ kind: "last-duration", durationMs: minutes * 60_000 }),
    );
    expect(rewound).toEqual([at(5), at(4), at(3), at(0)]);
  });

  it("goes back no further than the replay window", () => {
    const resolve = readerOf(...HISTORY);
    const reading = { replayWindowMs: 2 * 60_000 };
    expect(resolve({ kind: "last-messages", count: 5 }, reading)).toBe(at(3));
    expect(resolve({ kind: "last-duration", durationMs: HOUR }, reading)).toBe(at(3));
  });

  it("is the origin where nothing was ever written, and the origin then reads all", () => {
    const resolve = readerOf(...HISTORY);
    const starts: Start[] = [
      { kind: "live" },
      { kind: "oldest" },
      { kind: "last-messages", count: 5 },
      { kind: "last-duration", durationMs: HOUR },
      { kind: "after", offset: ORIGIN },
    ];
    for (const start of starts) expect(resolve(start, { path: "new" })).toBe(encodeOffset(ORIGIN));
    expect(resolve({ kind: "after", offset: ORIGIN })).toBe(at(0));
  });
});

describe("410 Gone", () => {
  it("meets an id from which everything was missed and pruned", () => {
    expect(readerOf(...HISTORY, trim(5))(afterId(2))).toEqual(goneIn(5, 5));
  });

  it("meets an id of which the next message was pruned", () => {
    expect(readerOf(...HISTORY, trim(3))(afterId(2))).toEqual(goneIn(3, 5));
  });

  it("does not meet an id that was pruned itself while nothing after it was", () => {
    expect(readerOf(...HISTORY, trim(3))(afterId(3))).toBe(at(3));
  });

  it("does not meet who has read everything, even if all of it was pruned", () => {
    expect(readerOf(...HISTORY, trim(5))(afterId(5))).toBe(at(5));
    expect(readerOf(...HISTORY)(afterId(5), { minute: 999, replayWindowMs: 0 })).toBe(at(5));
  });

  it("meets an id ahead of the tail", () => {
    expect(readerOf(...HISTORY)(afterId(6))).toEqual(goneIn(0, 5));
  });

  it("meets an id of another stream", () => {
    expect(readerOf(...HISTORY)(afterId(1, 2))).toEqual(goneIn(0, 5));
    expect(readerOf(...HISTORY)(afterId(1), { path: "new" })).toEqual(gone(ORIGIN, ORIGIN));
  });

  it("meets an id of an earlier life, the last one included", () => {
    const resolve = readerOf(...HISTORY, DROP);
    expect(resolve(afterId(2))).toEqual(goneIn(0, 0, 3));
    expect(resolve(afterId(5))).toEqual(goneIn(0, 0, 3));
    expect(resolve(afterId(0, 3))).toBe(at(0, 3));
  });

  it("meets the origin once anything was pruned or dropped", () => {
    const origin: Start = { kind: "after", offset: ORIGIN };
    expect(readerOf(...HISTORY, trim(1))(origin)).toEqual(goneIn(1, 5));
    expect(readerOf(...HISTORY, DROP)(origin)).toEqual(goneIn(0, 0, 3));
    expect(readerOf(...HISTORY)(origin, { replayWindowMs: 4.5 * 60_000 })).toEqual(goneIn(1, 5));
  });

  it("meets one user by that user's shorter window, and nobody else", () => {
    const resolve = readerOf(...HISTORY);
    expect(resolve(afterId(1), { replayWindowMs: 2 * 60_000 })).toEqual(goneIn(3, 5));
    expect(resolve(afterId(1))).toBe(at(1));
  });

  it("is decided by time before anything is pruned", () => {
    const resolve = readerOf(...HISTORY);
    expect(resolve(afterId(0), { minute: 60 })).toBe(at(0));
    expect(resolve(afterId(0), { minute: 61 })).toEqual(goneIn(1, 5));
  });

  it("never meets `start`, a rewind or the live tail", () => {
    const resolve = readerOf(...HISTORY, trim(5));
    const starts: Start[] = [
      { kind: "live" },
      { kind: "oldest" },
      { kind: "last-messages", count: 2 },
      { kind: "last-duration", durationMs: HOUR },
    ];
    for (const start of starts) expect(resolve(start, { minute: 999 })).toBe(at(5));
  });

  it("names an `oldest` that replays all that is retained", () => {
    const resolve = readerOf(...HISTORY, trim(2));
    expect(resolve(afterId(0))).toEqual(goneIn(2, 5));
    expect(resolve(afterId(2))).toBe(at(2));
  });

  it("names where to begin again to a reader that fell out of its window", () => {
    const { reader, apply } = openFileStore();
    apply(...HISTORY);
    const error = replayWindowExceeded(reader, {
      path: "chat",
      now: NOON + 5 * 60_000,
      replayWindowMs: 2 * 60_000,
    });
    expect(error.fields).toEqual(goneIn(3, 5));
  });
});
