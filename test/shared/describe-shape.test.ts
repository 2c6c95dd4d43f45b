import { expect, test } from "vitest";

import { describeShape } from "#src/shared/describe-shape.ts";

test.each([
  [undefined, "nothing"],
  [null, "`null`"],
  ["a text", '`"a text"`'],
  [5n, "`5`"],
  [Number.NaN, "`NaN`"],
  [Symbol("s"), "`Symbol(s)`"],
  [() => {}, "a function"],
  [[1], "an array"],
  [{}, "an empty object"],
  [{ token: "secret" }, "an object with `token`"],
  [{ a: 1, b: 2, c: 3, d: 4 }, "an object with `a`, `b`, `c`, …"],
  [Object.create(null), "an empty object"],
  [Promise.resolve(), "an instance of `Promise`"],
])("%o is told as %s", (value, text) => {
  expect(describeShape(value)).toBe(text);
});

test("a long text is cut", () => {
  expect(describeShape("x".repeat(1_000)).length).toBeLessThan(80);
});
