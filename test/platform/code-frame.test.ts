import { expect, it } from "vitest";

import { codeFrame } from "#src/platform/code-frame.ts";

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
