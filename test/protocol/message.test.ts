import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeMessage, messageTemplate, parseDraft, parsePublishBody } from "#src/protocol/message.ts";

const LIMITS = { maxMessageBytes: 64, maxBatchMessages: 3 };

describe("parsePublishBody", () => {
  it("reads one message, or an array of them, with the data as it was written", () => {
    expect(parsePublishBody(' {"type":"a", "data": 1.0 }', LIMITS)).toEqual([{ type: "a", dataText: "1.0" }]);
    expect(parsePublishBody('[{"data":null,"type":"a"},{"type":"\\u0062","data":[ 1 ]}]', LIMITS)).toEqual([
      { type: "a", dataText: "null" },
      { type: "b", dataText: "[ 1 ]" },
    ]);
  });

  it("ignores other fields, `from`, `id` and `time` among them", () => {
    expect(parsePublishBody('{"type":"a","data":1,"from":"root","id":"x","time":0}', LIMITS)).toEqual([
      { type: "a", dataText: "1" },
    ]);
  });

  it.each([
    ["", "not JSON"],
    ['{"type":"a","data":1', "not JSON"],
    ['{"type":"a","data":1} x', "not JSON"],
    ["[]", "at least one message"],
    ["1", "must be an object with `type` and `data`"],
    ['[{"type":"a","data":1},2]', "message 1 must be an object"],
    ['{"data":1}', "`type` of the body must be a text, got `nothing`"],
    ['{"type":"","data":1}', "must be a text"],
    ['[{"type":7,"data":1}]', "`type` of the message must be a text, got `7`"],
    ['{"type":"a"}', "has no `data`"],
  ])("refuses %s", (body, message) => {
    expect(() => parsePublishBody(body, LIMITS)).toThrow(
      expect.objectContaining({ code: "malformed", message: expect.stringContaining(message) }),
    );
  });

  it("refuses more messages than a batch may hold, naming the limit", () => {
    const batch = (length: number): string =>
      JSON.stringify(Array.from({ length }, () => ({ type: "a", data: 1 })));
    expect(parsePublishBody(batch(3), LIMITS)).toHaveLength(3);
    expect(() => parsePublishBody(batch(4), LIMITS)).toThrow(
      expect.objectContaining({
        code: "too_big",
        message: expect.stringContaining("limits.maxBatchMessages"),
      }),
    );
  });
});

describe("parseDraft", () => {
  it("refuses a type of more than 256 characters, naming the limit", () => {
    const text = (length: number): string => JSON.stringify({ type: "t".repeat(length), data: 1 });
    expect(parseDraft(text(256), "the body", LIMITS).type).toHaveLength(256);
    expect(() => parseDraft(text(257), "message 7", LIMITS)).toThrow(
      expect.objectContaining({
        code: "malformed",
        message: "`type` of message 7 must have at most 256 characters, got 257",
      }),
    );
  });

  it("shows only the beginning of a type that is no text", () => {
    const text = JSON.stringify({ type: { a: "x".repeat(10_000) }, data: 1 });
    let message = "";
    try {
      parseDraft(text, "the body", LIMITS);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("must be a text, got");
    expect(message.length).toBeLessThan(200);
  });

  it.each(["x", "ü", "€", "😀"])("counts the bytes of the data in UTF-8: %s", (character) => {
    const bytes = Buffer.byteLength(character);
    const text = (length: number): string => `{"type":"a","data":"${character.repeat(length)}"}`;
    const fitting = Math.floor((LIMITS.maxMessageBytes - 2) / bytes);
    expect(parseDraft(text(fitting), "the body", LIMITS).dataText).toContain(character);
    expect(() => parseDraft(text(fitting + 1), "message 7", LIMITS)).toThrow(
      expect.objectContaining({
        code: "too_big",
        status: 413,
        message: expect.stringContaining("message 7 has"),
      }),
    );
  });
});

describe("a composed message", () => {
  it("is JSON with exactly what it was made from, whatever that holds", () => {
    fc.assert(
      fc.property(fc.string(), fc.json(), fc.option(fc.string()), fc.nat(), (type, dataText, from, time) => {
        const template = messageTemplate({
          channel: "chat",
          draft: { type, dataText },
          from: from ?? undefined,
        });
        const text = composeMessage(template, { id: "1_2", time });
        const message: object = JSON.parse(text);
        const expected = { id: "1_2", channel: "chat", type, data: JSON.parse(dataText), time };
        expect(message).toEqual(from === null ? expected : { ...expected, from });
        expect(text).toContain(dataText);
      }),
    );
  });
});
