import { expect, it } from "vitest";

import { parseTailStart } from "#src/commands/tail/tail-start.ts";

const NOW = new Date(2026, 10, 21, 8, 0, 5).getTime();
const DAY_MS = 86_400_000;
const since = (text: string): unknown => parseTailStart({ since: text, isFollowing: true, now: NOW });

it.each([
  ["07:28", (32 * 60 + 5) * 1_000],
  ["07:28:30", (31 * 60 + 35) * 1_000],
  ["7:28", (32 * 60 + 5) * 1_000],
  ["08:00:05", 0],
])("begins today at %s, as tail prints it", (text, agoMs) => {
  expect(since(text)).toEqual({ rewind: `${agoMs}ms` });
});

it("begins yesterday at a time that today has not had yet", () => {
  expect(since("08:00:06")).toEqual({ rewind: `${DAY_MS - 1_000}ms` });
});

it.each(["24:00", "07:60", "07:28:60", "728", "07:28:30.5"])("refuses %s", (text) => {
  expect(() => since(text)).toThrow("`--since` must be a duration, a time, a message's id or `start`");
});
