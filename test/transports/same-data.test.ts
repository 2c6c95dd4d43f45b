import { expect, it } from "vitest";
import { isSameData } from "#src/transports/same-data.ts";

it.each([
  ["another spacing", '{"a": [1, 2]}', '{"a":[1,2]}'],
  ["another order", '{"b":1,"a":2}', '{"a":2,"b":1}'],
  ["other escapes", '"\\u00e9"', '"é"'],
  ["a number that JavaScript has rounded", "12345678901234567000", "12345678901234567890"],
  ["a number that went through a double", "1.2345678901234567e19", "12345678901234567890"],
  ["a whole number of Python's", "12345678901234567890", "12345678901234567890"],
  ["a point that JavaScript drops", "1", "1.0"],
  ["a long number in a text", '"12345678901234567891"', '"12345678901234567891"'],
])("takes %s for what it was", (_, made, original) => {
  expect(isSameData(made, original)).toBe(true);
});

it.each([
  ["another value", "2", "1"],
  ["a long number that differs beyond what a double holds", "12345678901234567891", "12345678901234567890"],
  ["a long fraction that does", "0.12345678901234567891", "0.12345678901234567890"],
  ["another text", '"a "', '"a"'],
  ["something more", '{"a":1,"b":2}', '{"a":1}'],
])("takes %s for a change", (_, made, original) => {
  expect(isSameData(made, original)).toBe(false);
});
