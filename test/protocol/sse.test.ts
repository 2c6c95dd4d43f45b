import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEnding, encodeEvent, encodeOpening, SSE_KEEPALIVE } from "#src/protocol/sse.ts";

/** One event as a browser dispatches it. */
interface Dispatched {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
}

/**
 * The standard's algorithm, word for word and in its order, so that it shares no idea with the code under test.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
function dispatch(stream: string): Dispatched[] {
  const events: Dispatched[] = [];
  let [data, type, lastEventId] = ["", "", ""];
  for (const line of stream.split(/\r\n|\n|\r/)) {
    if (line === "") {
      if (data !== "")
        events.push({ type: type === "" ? "message" : type, data: data.slice(0, -1), lastEventId });
      [data, type] = ["", ""];
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon === -1 ? line : line.slice(0, colon);
    const rest = colon === -1 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") type = value;
    else if (field === "data") data += `${value}\n`;
    else if (field === "id" && !value.includes("\0")) lastEventId = value;
  }
  return events;
}

/** Texts of which a forger would make use. */
const hostile = fc
  .array(
    fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      "id: 9",
      "event: x",
      "data: y",
      "retry: 1",
      ":",
      " ",
      "\u2028",
      "\0",
      "a",
    ),
  )
  .map((parts) => parts.join(""));

describe("encodeEvent", () => {
  it("lets no data forge a field or an event", () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), hostile, (data, next) => {
        const stream = encodeEvent({ id: "1_1", data }) + encodeEvent({ id: "1_2", data: next });
        // Line breaks of all kinds come out as LF: JSON has them only between its tokens.
        const arrived = (text: string): string => text.replaceAll(/\r\n|\r/g, "\n");
        expect(dispatch(stream)).toEqual([
          { type: "message", data: arrived(data), lastEventId: "1_1" },
          { type: "message", data: arrived(next), lastEventId: "1_2" },
        ]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is an `id` and a `data` field with LF line ends, and no `event`", () => {
    expect(encodeEvent({ id: "1_2", data: '{"a":1}' })).toBe('id: 1_2\ndata: {"a":1}\n\n');
  });
});

describe("the blocks that are no messages", () => {
  it("dispatch nothing, and the first sets the position", () => {
    const stream = encodeOpening({ retryMs: 1_200, id: "1_7" }) + SSE_KEEPALIVE;
    expect(dispatch(stream + encodeEnding({ retryMs: 5, reason: "server is restarting" }))).toEqual([]);
    expect(dispatch(`${stream}data: x\n\n`)).toEqual([{ type: "message", data: "x", lastEventId: "1_7" }]);
  });
});
