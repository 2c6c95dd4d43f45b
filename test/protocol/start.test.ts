import { describe, expect, it } from "vitest";
import { parseStart } from "#src/protocol/start.ts";
import type { Start, StartInput } from "#src/protocol/start.ts";

const ID = "0000000000000001_0000000000000002";
const AFTER: Start = { kind: "after", offset: { incarnation: 1, position: 2 } };

function parse(input: Partial<StartInput>): Start {
  return parseStart({ lastEventId: undefined, lastMessageId: undefined, rewind: undefined, ...input });
}

describe("parseStart", () => {
  it("begins at the live tail where nothing is asked for", () => {
    expect(parse({})).toEqual({ kind: "live" });
    expect(parse({ lastEventId: "", lastMessageId: "", rewind: "" })).toEqual({ kind: "live" });
  });

  it("takes the first of `Last-Event-ID`, `last_message_id` and `rewind`", () => {
    expect(parse({ lastEventId: ID, lastMessageId: "start", rewind: "5" })).toEqual(AFTER);
    expect(parse({ lastMessageId: ID, rewind: "5" })).toEqual(AFTER);
    expect(parse({ lastEventId: "", rewind: "5" })).toEqual({ kind: "last-messages", count: 5 });
  });

  it("reads `start` as the oldest message", () => {
    expect(parse({ lastEventId: "start" })).toEqual({ kind: "oldest" });
    expect(parse({ lastMessageId: "start" })).toEqual({ kind: "oldest" });
  });

  it("rewinds by a number of messages or by a duration", () => {
    expect(parse({ rewind: "0" })).toEqual({ kind: "last-messages", count: 0 });
    expect(parse({ rewind: "10m" })).toEqual({ kind: "last-duration", durationMs: 600_000 });
  });

  it.each([
    [{ lastEventId: "5" }, "`Last-Event-ID` must be the id of a message or `start`, got `5`"],
    [{ lastEventId: `${ID} ` }, "`Last-Event-ID` must be"],
    [{ lastMessageId: "START" }, "`last_message_id` must be"],
    [{ rewind: "-5" }, "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `-5`"],
    [{ rewind: "start" }, "`rewind` must be"],
    [{ rewind: "1e3" }, "`rewind` must be"],
    [{ rewind: "9999999999" }, "`rewind` must be"],
  ])("refuses %j as malformed", (input, message) => {
    expect(() => parse(input)).toThrow(
      expect.objectContaining({ code: "malformed", status: 400, message: expect.stringContaining(message) }),
    );
  });

  it("does not repeat a long text in its error", () => {
    expect(() => parse({ lastEventId: "x".repeat(10_000) })).toThrow(/^.{1,200}$/);
  });
});
