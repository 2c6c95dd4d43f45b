import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toStreamPath } from "#src/protocol/stream-path.ts";

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
});
