import { describe, expect, it } from "vitest";
import { didYouMean } from "#src/shared/did-you-mean.ts";

const COMMANDS = ["init", "dev", "serve", "channel", "tail", "publish"];

describe("didYouMean", () => {
  it.each([
    ["serv", "serve"],
    ["sevre", "serve"],
    ["PUBLISH", "publish"],
    ["publihs", "publish"],
    ["chanel", "channel"],
    ["chan", "channel"],
    ["tial", "tail"],
  ])("finds what %j was to be", (typed, meant) => {
    expect(didYouMean(typed, COMMANDS)).toBe(meant);
  });

  it.each(["", "x", "zzzz", "subscribe-to-everything"])("finds nothing near %j", (typed) => {
    expect(didYouMean(typed, COMMANDS)).toBeUndefined();
  });

  it("counts a swap of two neighbours as one slip", () => {
    expect(didYouMean("ab", ["ba", "xy"])).toBe("ba");
  });

  it("prefers the nearest", () => {
    expect(didYouMean("rooom", ["zoom", "room", "rooms"])).toBe("room");
  });
});
