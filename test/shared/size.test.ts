import { describe, expect, it } from "vitest";
import { parseSizeBytes } from "#src/shared/size.ts";

describe("parseSizeBytes", () => {
  it.each([
    ["0B", 0],
    ["512B", 512],
    ["64KiB", 65_536],
    ["1.5MiB", 1_572_864],
    ["1MB", 1_000_000],
    [" 2GiB ", 2_147_483_648],
  ])("reads %j", (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(["", "1", "KiB", "-1B", "1 MiB", "1kib", "1TB", "1e3B", "toString", "9999999999999GiB"])(
    "refuses %j",
    (text) => {
      expect(parseSizeBytes(text)).toBeUndefined();
    },
  );
});
