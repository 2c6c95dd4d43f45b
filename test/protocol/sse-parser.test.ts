import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { encodeEnding, encodeEvent, encodeOpening, SSE_KEEPALIVE } from "#src/protocol/sse.ts";
import { SseParser } from "#src/protocol/sse-parser.ts";
import type { SseItem } from "#src/protocol/sse-parser.ts";

function parse(...chunks: readonly string[]): SseItem[] {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe("SseParser", () => {
  it("reads what our server writes", () => {
    const stream = [
      encodeOpening({ retryMs: 1_500, id: "a" }),
      SSE_KEEPALIVE,
      encodeEvent({ id: "b", data: '{"text":\n"hi"}' }),
      encodeEnding({ retryMs: 200, reason: "restart" }),
    ].join("");
    expect(parse(stream)).toEqual([
      { kind: "retry", retryMs: 1_500 },
      { kind: "position", id: "a" },
      { kind: "comment", text: "" },
      { kind: "event", type: "message", data: '{"text":\n"hi"}', id: "b" },
      { kind: "retry", retryMs: 200 },
      { kind: "comment", text: "restart" },
    ]);
  });

  it.each([
    ["LF", "\n"],
    ["CR", "\r"],
    ["CRLF", "\r\n"],
  ])("ends lines at %s", (_, end) => {
    expect(parse(`event: x${end}data: 1${end}data:2${end}${end}data: 3${end}${end}`)).toEqual([
      { kind: "event", type: "x", data: "1\n2", id: "" },
      { kind: "event", type: "message", data: "3", id: "" },
    ]);
  });

  it("does not see an empty line where CR and LF come apart", () => {
    expect(parse("data: 1\r", "\ndata: 2\r", "", "\n\r", "\n")).toEqual([
      { kind: "event", type: "message", data: "1\n2", id: "" },
    ]);
  });

  it("keeps the last id for events that bring none, and drops ids with a NUL", () => {
    expect(parse("id: 1\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid\ndata: d\n\n")).toMatchObject([
      { id: "1" },
      { id: "1" },
      { id: "1" },
      { id: "" },
    ]);
  });

  it("takes one space off a value, ignores unknown fields and odd retries", () => {
    expect(parse("data:  a\ndata\nfoo: bar\nretry: 1s\n\n")).toEqual([
      { kind: "event", type: "message", data: " a\n", id: "" },
    ]);
  });

  it("gives out nothing of a block that has not ended", () => {
    expect(parse("id: 1\ndata: a\n")).toEqual([]);
  });

  it("reads the same wherever the stream is cut", () => {
    const piece = fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      ":",
      " ",
      "data",
      "id",
      "event",
      "retry",
      "1",
      "ü",
      "\0",
      "x",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat(60), { maxLength: 6 }),
        (pieces, cuts) => {
          const text = pieces.join("");
          const places = [
            0,
            ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
            text.length,
          ];
          const chunks = places.slice(1).map((end, index) => text.slice(places[index], end));
          expect(parse(...chunks)).toEqual(parse(text));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
