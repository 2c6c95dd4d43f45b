import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { BoundedLines } from "#src/platform/bounded-lines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("tells of each kind the first at once, then the last of each second with the count", () => {
  const told: [string, number][] = [];
  const lines = new BoundedLines<string, string>((last, count) => void told.push([last, count]));
  for (const item of ["a1", "a2", "a3", "b1"]) lines.note(item.slice(0, 1), item);
  expect(told.splice(0)).toEqual([
    ["a1", 1],
    ["b1", 1],
  ]);
  vi.advanceTimersByTime(1_000);
  expect(told.splice(0)).toEqual([["a3", 2]]);
  lines.note("a", "a4");
  lines.note("b", "b2");
  expect(told.splice(0)).toEqual([["b2", 1]]);
  lines.close();
  lines.close();
  expect(told.splice(0)).toEqual([["a4", 1]]);
});
