import { describe, expect, it } from "vitest";

import { palette } from "#src/commands/palette.ts";
import { messageBlock, messageLine } from "#src/commands/tail/message-line.ts";
import { readableJson } from "#src/commands/tail/readable-json.ts";
import { parseTailMessage } from "#src/commands/tail/tail-message.ts";
import { escapeControls, fitColumns, textColumns } from "#src/commands/terminal-text.ts";

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

describe("textColumns", () => {
  it.each([
    ["an emoji that a selector makes one", "❤️", 2],
    ["a keycap", "1️⃣", 2],
    ["a flag", "🇩🇪", 2],
    ["a syllable of two letters and a mark", "क्षि", 3],
    ["a space of no width", "a\u200Bb", 2],
    ["a Hangul syllable of its parts", "\u1112\u1161\u11AB", 2],
  ])("counts %s", (_, text, columns) => {
    expect(textColumns(text)).toBe(columns);
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

  it.each([60, 80, 120])("fits %i columns, whatever the names and the data are", (columns) => {
    const [type, from] = ["通知".repeat(40), "👩‍👩‍👧 ".repeat(40)];
    const data = { text: "日本\n\u001B[31m👍🏽".repeat(40) };
    const wide = parseTailMessage(JSON.stringify({ id: "1", type, from, time, data }));
    const shown = textColumns(messageLine(wide, { columns, paint, now: time }));
    expect(shown).toBeGreaterThanOrEqual(columns - 2);
    expect(shown).toBeLessThanOrEqual(columns);
  });

  it("shows letters that the writer escaped", () => {
    const text = String.raw`{"id":"1","type":"a","time":${time},"data":{"n":1.0,"text":"\u65e5\u672c"}}`;
    const line = messageLine(parseTailMessage(text), { columns: undefined, paint, now: time });
    expect(line).toBe('18:03:05 a {"n":1.0,"text":"日本"}');
  });

  it("shows the same type in the same colour each time, and different ones in several", () => {
    const looks = ["message", "note", "typing", "join", "leave", "presence"].map((type) => {
      const text = JSON.stringify({ id: "1", type, time, data: 1 });
      const lines = [1, 2].map(() =>
        messageLine(parseTailMessage(text), { columns: undefined, paint: palette(true), now: time }),
      );
      expect(lines[0]).toBe(lines[1]);
      return lines[0]?.split(type)[0];
    });
    expect(looks[0]).toContain("\u001B[");
    expect(new Set(looks).size).toBe(6);
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

describe("readableJson", () => {
  it.each([
    ["letters that the writer escaped", String.raw`"\u65e5\u672C caf\u00e9"`, '"日本 café"'],
    ["an emoji of several parts", String.raw`"\ud83d\udc69\u200d\ud83d\udc67"`, '"👩‍👧"'],
    ["a slash of PHP and a bracket of Go", String.raw`"a\/b\u003c"`, '"a/b<"'],
    ["names too", String.raw`{"\u00e9":1}`, '{"é":1}'],
    ["a letter after an escaped backslash", String.raw`"\\\u00e9"`, String.raw`"\\é"`],
  ])("shows %s", (_, json, expected) => {
    expect(readableJson(json)).toBe(expected);
  });

  it.each([
    ["controls", String.raw`"\u001b\u009b\n\u2028"`],
    ["directions", String.raw`"\u202e\u2066\u200f"`],
    ["what cannot be seen", String.raw`"\u200b\ufeff\ue000\uffff"`],
    ["half a pair", String.raw`"\ud83d \udc69\ud83d"`],
    ["quotes and backslashes", String.raw`"\u0022\u005c\""`],
    ["what only looks like an escape", String.raw`"\\u00e9"`],
    ["numbers", "[12345678901234567890.10,1.0]"],
  ])("leaves %s as they were written", (_, json) => {
    expect(readableJson(json)).toBe(json);
  });

  it("escapes controls that were not", () => {
    expect(readableJson('"\u009B\u202E"')).toBe(String.raw`"\x9b\u202e"`);
  });
});

describe("messageBlock", () => {
  const time = new Date(2026, 10, 21, 18, 3, 5).getTime();

  it("shows all of the data, indented, numbers as they were written and controls escaped", () => {
    const text = `{"id":"p1","type":"a","time":${time},"data":{"n":12345678901234567890.10,"list":[1,{"deep":[]}],"none":{},"\\u00e9":"a: {\u202E\\n\\""}}`;
    const block = messageBlock(parseTailMessage(text), { columns: 20, paint: palette(false), now: time });
    expect(block).toBe(
      [
        "18:03:05 a p1",
        "  {",
        '    "n": 12345678901234567890.10,',
        '    "list": [',
        "      1,",
        "      {",
        '        "deep": []',
        "      }",
        "    ],",
        '    "none": {},',
        String.raw`    "é": "a: {\u202e\n\""`,
        "  }",
      ].join("\n"),
    );
  });

  it.each(["null", '"text"', "[]", "-1.5e3"])("shows %s as it is", (data) => {
    const text = `{"id":"p1","type":"a","time":${time},"data":${data}}`;
    const block = messageBlock(parseTailMessage(text), { columns: 80, paint: palette(false), now: time });
    expect(block).toBe(`18:03:05 a p1\n  ${data}`);
  });
});
