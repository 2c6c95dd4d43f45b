import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalizeStreamPath, toStreamPath } from "#src/protocol/stream-path.ts";

const paramName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((name) => name !== "__proto__");
const paramValue = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
);
const params = fc.dictionary(paramName, paramValue);

describe("the path of a channel's stream", () => {
  it("is the name, then the params, keys sorted", () => {
    expect(toStreamPath("chat", {})).toBe("chat");
    expect(toStreamPath("game/moves", { table: 7, b: true, a: "ü/=&" })).toBe(
      "game/moves/a=%C3%BC%2F%3D%26/b=true/table=7",
    );
  });

  it("is another one for each distinct set of params", () => {
    const few = fc.dictionary(
      fc.constantFrom("a", "b"),
      fc.constantFrom(1, "1", "", true, "1/b=1", "1%2Fb=1"),
    );
    fc.assert(
      fc.property(few, few, (one, other) => {
        const texts = (given: typeof one) =>
          ["a", "b"].map((key) => (key in given ? String(given[key]) : null));
        const isSame = JSON.stringify(texts(one)) === JSON.stringify(texts(other));
        expect(toStreamPath("chat", one) === toStreamPath("chat", other)).toBe(isSame);
      }),
    );
  });

  it("is its own canonical form", () => {
    fc.assert(
      fc.property(params, (given) => {
        const path = toStreamPath("chat", given);
        expect(canonicalizeStreamPath(path)).toBe(path);
      }),
    );
  });
});

describe("canonicalizeStreamPath", () => {
  it.each([
    ["chat/room=lobby", "chat/room=lobby"],
    ["chat/room=%6cobby", "chat/room=lobby"],
    ["chat/room%3Dlobby", "chat/room=lobby"],
    ["chat/room=a=b", "chat/room=a%3Db"],
    ["chat/room=a%2fb", "chat/room=a%2Fb"],
    ["chat/room=ü", "chat/room=%C3%BC"],
    ["chat/room=", "chat/room="],
    ["chat/room=%2500", "chat/room=%2500"],
  ])("brings %s to %s", (path, canonical) => {
    expect(canonicalizeStreamPath(path)).toBe(canonical);
  });

  it.each([
    "",
    "/chat",
    "chat/",
    "chat//x",
    ".",
    "chat/..",
    "chat/%2e%2e/x",
    "chat/%2E",
    "chat/%",
    "chat/%ff",
  ])("refuses %j", (path) => {
    expect(() => canonicalizeStreamPath(path)).toThrow(
      expect.objectContaining({ code: "malformed", status: 400 }),
    );
  });
});
