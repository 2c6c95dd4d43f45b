import { describe, expect, it } from "vitest";
import { formatDuration, parseDurationMs } from "#src/shared/duration.ts";

describe("parseDurationMs", () => {
  it.each([
    ["0ms", 0],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["10m", 600_000],
    [" 24h ", 86_400_000],
    ["365d", 31_536_000_000],
  ])("reads %j", (text, milliseconds) => {
    expect(parseDurationMs(text)).toBe(milliseconds);
  });

  it.each(["", "10", "m", "-1s", "1 h", "1H", "1w", "1e3s", ".5s", "1.s", "1h30m", "99999999999999d"])(
    "refuses %j",
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );
});

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"],
    [640, "640 ms"],
    [12_340, "12.3 s"],
    [300_000, "5 min"],
    [7_200_000, "2 h"],
    [259_200_000, "3 d"],
  ])("writes %d ms", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
