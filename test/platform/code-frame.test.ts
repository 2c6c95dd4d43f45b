import { describe, expect, it } from "vitest";

import { codeFrame, narrowFrames } from "#src/platform/code-frame.ts";

it("shows what is around the column of a long line, the caret below it, within 80 columns", () => {
  const line = `const a = "${"x".repeat(300)}"; throw "${"y".repeat(300)}";`;
  const column = line.indexOf("throw") + 1;
  const [row = "", caret = ""] = codeFrame(line, { line: 1, column, length: 5 }).split("\n");
  expect(row.length).toBeLessThanOrEqual(74);
  expect(row.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("throw");
  expect(row).toMatch(/^> 1 \| …x+"; throw "y+…$/);
});

it("shows short lines whole", () => {
  expect(codeFrame("let a;\nlet b;", { line: 2, column: 5 })).toBe("  1 | let a;\n> 2 | let b;\n    |     ^");
});

it("shows tabs as spaces, so that it is the same wherever it is printed", () => {
  expect(codeFrame("{\n\t\ta: 1,\tb: 2", { line: 2, column: 9, length: 2 })).toBe(
    "  1 | {\n> 2 |     a: 1,  b: 2\n    |            ^^",
  );
});

describe("a frame in a narrow terminal", () => {
  const line = `const word = "${"x".repeat(30)}"; throw new Error("y"); // the end of it`;
  const column = line.indexOf("throw") + 1;
  const frame = codeFrame(`let a;\n\n${line}\n${"z".repeat(60)}`, { line: 3, column, length: 5 });

  it("shows what is around its caret, and no more of any line", () => {
    const rows = narrowFrames(frame, 39).split("\n");
    expect(rows.filter((row) => row.length > 39)).toEqual([]);
    const [row = "", caret = ""] = rows.slice(2);
    expect(row.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("throw");
    expect(row).toMatch(/^> 3 \| …x+"; throw new Error.*…$/);
  });

  it("begins with the line where its caret is there", () => {
    const early = codeFrame(line, { line: 1, column: 7, length: 30 });
    expect(narrowFrames(early, 24)).toBe('> 1 | const word = "xxx…\n    |       ^^^^^^^^^^^^');
  });

  it("is found among other text, and is left alone where it fits", () => {
    const text = `a.ts:3:1: ${"word ".repeat(20)}\n\n${frame}\n\n${"word ".repeat(20)}`;
    expect(narrowFrames(text, 80)).toBe(text);
    expect(narrowFrames(text, 39)).toBe(text.replace(frame, narrowFrames(frame, 39)));
  });
});
