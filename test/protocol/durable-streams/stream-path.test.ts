import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalizePath } from "#src/protocol/durable-streams/stream-path.ts";

describe("the one form of a stream's path", () => {
  it.each([
    ["jobs/42", "jobs/42"],
    ["%6Aobs/%34%32", "jobs/42"],
    ["чат/ü", "%D1%87%D0%B0%D1%82/%C3%BC"],
    ["%d1%87%d0%b0%d1%82/%c3%bc", "%D1%87%D0%B0%D1%82/%C3%BC"],
    ["a%2fb", "a%2Fb"],
    ["a%252fb", "a%252fb"],
    ["room=a b", "room=a%20b"],
    ["...", "..."],
    ["*/**", "*/**"],
  ])("of %s is %s", (text, expected) => {
    expect(canonicalizePath(text)).toBe(expected);
  });

  it.each([
    "",
    "/",
    "a//b",
    "/a",
    "a/",
    ".",
    "..",
    "a/./b",
    "a/../b",
    "%2e%2e/a",
    "a/.%2E",
    "%",
    "%zz",
    "%ff",
    "%00",
    "a%0ab",
    "%7f",
    "%c2%85",
    "a/\ud800b",
    "\udc00",
    "x".repeat(1_025),
  ])("`%s` has none", (text) => {
    expect(() => canonicalizePath(text)).toThrow(expect.objectContaining({ code: "malformed" }));
  });

  it("is its own form, and two names are one only if they decode to the same segments", () => {
    const segment = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 6 })
      .filter((text) => !/^\.{1,2}$|\p{Cc}/u.test(text));
    const path = fc.array(segment, { minLength: 1, maxLength: 4 });
    const encode = (segments: readonly string[]): string => segments.map(encodeURIComponent).join("/");
    fc.assert(
      fc.property(path, path, (one, other) => {
        const form = canonicalizePath(encode(one));
        expect(canonicalizePath(form)).toBe(form);
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(canonicalizePath(encode(other)) === form).toBe(isSame);
      }),
    );
  });
});
