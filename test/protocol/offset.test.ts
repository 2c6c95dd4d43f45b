import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareOffsets, encodeOffset, isOrigin, ORIGIN, parseOffset } from "#src/protocol/offset.ts";

const half = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const offset = fc.record({ incarnation: half, position: half });

describe("an offset", () => {
  it("comes back from its token", () => {
    fc.assert(
      fc.property(offset, (value) => {
        expect(parseOffset(encodeOffset(value))).toEqual(value);
      }),
    );
  });

  it("sorts as text as its place does", () => {
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        const [left, right] = [encodeOffset(a), encodeOffset(b)];
        expect(Math.sign(compareOffsets(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });

  it("is all zeros before the first message ever", () => {
    expect(encodeOffset(ORIGIN)).toBe("0000000000000000_0000000000000000");
    expect(isOrigin(ORIGIN)).toBe(true);
    expect(isOrigin({ incarnation: 0, position: 1 })).toBe(false);
    expect(isOrigin({ incarnation: 1, position: 0 })).toBe(false);
  });

  it("stays ahead of every tail where sixteen digits say more than a number can hold", () => {
    expect(parseOffset("9999999999999999_9999999999999999")).toEqual({
      incarnation: Number.MAX_SAFE_INTEGER,
      position: Number.MAX_SAFE_INTEGER,
    });
  });

  it.each([
    "",
    "start",
    "-1",
    "0_0",
    "0000000000000001-0000000000000001",
    "000000000000001_0000000000000001",
    "00000000000000001_0000000000000001",
    "0000000000000001_000000000000000a",
    " 0000000000000001_0000000000000001",
    "0000000000000001_0000000000000001\n",
    "٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠١_٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠١",
  ])("is not %j", (text) => {
    expect(parseOffset(text)).toBeUndefined();
  });
});
