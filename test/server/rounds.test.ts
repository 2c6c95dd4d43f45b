import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Rounds } from "#src/server/rounds.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("rounds", () => {
  test("give each look what the one before has said", () => {
    const seen: [string, number][] = [];
    const rounds = new Rounds<string, number>({
      everyMs: 10,
      look: (key, state) => (seen.push([key, state]), state + 1),
    });
    rounds.add("a", 0);
    rounds.add("b", 10);
    vi.advanceTimersByTime(20);
    expect(seen).toEqual([
      ["a", 0],
      ["b", 10],
      ["a", 1],
      ["b", 11],
    ]);
  });

  test("end with the last that is taken out, and begin again with the next", () => {
    const look = vi.fn((_key: string, state: number) => state);
    const rounds = new Rounds({ everyMs: 10, look });
    rounds.add("a", 0);
    rounds.remove("a");
    expect(vi.getTimerCount()).toBe(0);
    rounds.add("b", 0);
    vi.advanceTimersByTime(10);
    expect(look.mock.calls).toEqual([["b", 0]]);
  });

  test("forget what a look takes out", () => {
    const rounds: Rounds<string, number> = new Rounds({
      everyMs: 10,
      look: (key, state) => (rounds.remove(key), state),
    });
    rounds.add("a", 0);
    vi.advanceTimersByTime(10);
    expect(vi.getTimerCount()).toBe(0);
  });
});
