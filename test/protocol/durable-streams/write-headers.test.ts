import { describe, expect, it } from "vitest";
import { parseCreateHeaders } from "#src/protocol/durable-streams/write-headers.ts";

const parse = (expiresAt: string): number | undefined =>
  parseCreateHeaders((name) => (name === "stream-expires-at" ? expiresAt : undefined)).expiresAt;

describe("Stream-Expires-At", () => {
  it.each([
    ["2028-02-29T12:00:00Z", Date.UTC(2028, 1, 29, 12)],
    ["2030-03-01T00:30:00+01:00", Date.UTC(2030, 1, 28, 23, 30)],
    ["2030-12-31t23:59:59.5z", Date.UTC(2030, 11, 31, 23, 59, 59, 500)],
  ])("takes %s", (text, time) => {
    expect(parse(text)).toBe(time);
  });

  it.each([
    "2030-02-30T12:00:00Z",
    "2030-02-29T12:00:00Z",
    "2030-04-31T00:00:00+02:00",
    "2030-13-01T00:00:00Z",
    "2030-01-01T24:00:00Z",
  ])("refuses %s, a time that no calendar has", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "malformed" }));
  });
});
