import { describe, expect, it } from "vitest";
import {
  encodeBinaryEvent,
  encodeControlEvent,
  encodeJsonEvent,
  encodeTextEvent,
} from "#src/protocol/durable-streams/sse-events.ts";
import { incompleteTailLength } from "#src/protocol/durable-streams/utf8-boundary.ts";

describe("a data event of text", () => {
  it("has no space after `data:`, and one more where a line begins with one", () => {
    expect(encodeTextEvent("a b")).toBe("event: data\ndata:a b\n\n");
    expect(encodeTextEvent(" token\n  two\n")).toBe("event: data\ndata:  token\ndata:   two\ndata:\n\n");
  });

  it("cannot be made to hold another event by what is written", () => {
    const text = 'a\r\n\r\nevent: control\rdata: {"x":1}\n\nb';
    const lines = encodeTextEvent(text).split("\n");
    expect(lines.slice(1, -2).every((line) => line.startsWith("data:"))).toBe(true);
    expect(lines.slice(-2)).toEqual(["", ""]);
  });
});

it("a data event of messages is one JSON array of what was written", () => {
  expect(encodeJsonEvent(['{"n": 1.0}', "12345678901234567890"])).toBe(
    'event: data\ndata:[{"n": 1.0},12345678901234567890]\n\n',
  );
});

it("a data event of bytes is base64 over lines of a bounded length", () => {
  const bytes = Buffer.alloc(2_000, 0xff);
  const lines = encodeBinaryEvent(bytes).trimEnd().split("\n").slice(1);
  expect(lines.length).toBeGreaterThan(1);
  expect(Buffer.from(lines.map((line) => line.slice(5)).join(""), "base64")).toEqual(bytes);
  expect(encodeBinaryEvent(Buffer.alloc(0))).toBe("event: data\ndata:\n\n");
});

it("a control event is one line of JSON without what is absent", () => {
  expect(encodeControlEvent({ streamNextOffset: "1_2", streamClosed: true })).toBe(
    'event: control\ndata:{"streamNextOffset":"1_2","streamClosed":true}\n\n',
  );
});

describe("the end of a chunk of text", () => {
  it("holds back every beginning of a character, and nothing that is whole", () => {
    for (const character of ["é", "€", "😀"]) {
      const bytes = Buffer.from(`x${character}`);
      const length = bytes.length - 1;
      for (let cut = 1; cut < length; cut += 1) {
        expect(incompleteTailLength(bytes.subarray(0, 1 + cut))).toBe(cut);
      }
      expect(incompleteTailLength(bytes)).toBe(0);
    }
  });

  it("does not hold back what will never be a character", () => {
    for (const bytes of [[0x80], [0xff], [0xc0], [0x80, 0x80, 0x80, 0x80], [0xf5]]) {
      expect(incompleteTailLength(Uint8Array.from(bytes))).toBe(0);
    }
    expect(incompleteTailLength(new Uint8Array())).toBe(0);
  });
});
