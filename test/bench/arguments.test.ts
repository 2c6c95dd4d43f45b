import { expect, test } from "vitest";
import { parseArguments } from "../../bench/arguments.ts";

test("measures three rounds of everything where nothing is asked for", () => {
  expect(parseArguments([])).toEqual({ isHelp: false, isQuick: false, only: [], rounds: 3 });
});

test("the short form measures one round, or as many as are asked for", () => {
  expect(parseArguments(["--quick"])).toMatchObject({ isQuick: true, rounds: 1 });
  expect(parseArguments(["--quick", "--rounds", "2"])).toMatchObject({ isQuick: true, rounds: 2 });
});

test("`--only` may be repeated", () => {
  expect(parseArguments(["--only", "append", "--only", "fanout"]).only).toEqual(["append", "fanout"]);
});

test.each([["--rounds", "0"], ["--rounds", "many"], ["--fast"]])(
  "refuses %s %s as wrong usage",
  (...args) => {
    expect(() => parseArguments(args)).toThrow(expect.objectContaining({ code: "usage" }));
  },
);
