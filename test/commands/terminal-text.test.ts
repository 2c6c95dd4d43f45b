import { describe, expect, it } from "vitest";

import { palette } from "#src/commands/palette.ts";
import { messageLine } from "#src/commands/tail/message-line.ts";
import { parseTailMessage } from "#src/commands/tail/tail-message.ts";
import { escapeControls, fitColumns } from "#src/commands/terminal-text.ts";

describe("fitColumns", () => {
  it.each([
    ["what fits is left alone", "abcdef", 6, "abcdef"],
    ["the cut is shown in the last column", "abcdef", 5, "abcd…"],
    ["wide characters take two columns", "日本語", 5, "日本…"],
    ["a wide character that would stick out goes", "日本語", 4, "日…"],
    ["an emoji of several code points is one", "👩‍👩‍👧ab", 4, "👩‍👩‍👧ab"],
    ["combining marks take none", "e\u0301e\u0301", 2, "e\u0301e\u0301"],
  ])("%s", (_, text, columns, expected) => {
    expect(fitColumns(text, columns)).toBe(expected);
  });
});

describe("escapeControls", () => {
  it("shows control and direction characters as their codes", () => {
    expect(escapeControls("a\u001B[2Jb\nc\u009Bd\u202Ee\u2028f")).toBe(
      String.raw`a\x1b[2Jb\x0ac\x9bd\u202ee\u2028f`,
    );
  });

  it("leaves letters of any script and emoji alone", () => {
    expect(escapeControls("ñ 日本 👩‍👩‍👧 עברית")).toBe("ñ 日本 👩‍👩‍👧 עברית");
  });
});

describe("messageLine", () => {
  const time = new Date(2026, 10, 21, 18, 3, 5).getTime();
  const message = parseTailMessage(
    JSON.stringify({ id: "1", type: "message", from: "u1", time, data: { text: "x".repeat(100) } }),
  );
  const paint = palette(false);

  it("fits the terminal's width", () => {
    const line = messageLine(message, { columns: 40, paint, now: time });
    expect(line).toBe('18:03:05 message u1 {"text":"xxxxxxxxxx…');
    expect(line).toHaveLength(40);
  });

  it("is whole where there is no terminal", () => {
    expect(messageLine(message, { columns: undefined, paint, now: time })).toHaveLength(131);
  });

  it("shows the date of another day", () => {
    const line = messageLine(message, { columns: 60, paint, now: time + 86_400_000 });
    expect(line).toMatch(/^2026-11-21 18:03:05 message u1 /);
  });

  it("escapes what a publisher could forge a line with", () => {
    const forged = parseTailMessage(
      JSON.stringify({ id: "1", type: "a\nb", from: "\u001Bc", time, data: null }),
    );
    const line = messageLine(forged, { columns: undefined, paint, now: time });
    expect(line).toBe(String.raw`18:03:05 a\x0ab \x1bc null`);
  });
});
