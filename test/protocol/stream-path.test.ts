import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelOfPath, toStreamPath } from "#src/protocol/stream-path.ts";

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

describe("the channel of a path", () => {
  it("is what comes before the first param", () => {
    const paths = [
      "chat",
      "chat/room=a",
      "chat/x",
      "chat/x/room=a%2Fb/y=1",
      "chat-x/_r=",
      "game/moves/a=b%3Dc",
    ];
    expect(paths.map(channelOfPath)).toEqual(["chat", "chat", "chat/x", "chat/x", "chat-x", "game/moves"]);
  });

  it("is the one that the path was made from", () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,3}(\/[a-z0-9][a-z0-9_-]{0,3}){0,2}$/);
    const params = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,3}$/), fc.string());
    fc.assert(
      fc.property(name, params, (channel, given) => {
        expect(channelOfPath(toStreamPath(channel, given))).toBe(channel);
      }),
    );
  });
});
