import { expect, it } from "vitest";
import { printError } from "#src/commands/print-error.ts";
import { ChanctlError } from "#src/shared/errors.ts";

const FRAME = `  ${"x".repeat(60)}`;
const ERROR = new ChanctlError("usage", `a.ts:1:1: one two three four five six seven\n\n${FRAME}`, {
  hint: "repeat what was sent before\nchanctl dev     starts it again",
});

function printed(error: ChanctlError, options: { isTerminal: boolean; columns: number }): string {
  let text = "";
  const code = printError(error, { ...options, errorColor: false, stderr: (more) => void (text += more) });
  expect(code).toBe(error.exitCode);
  return text;
}

it("breaks what is too long for a terminal at its words, but no code frame", () => {
  expect(printed(ERROR, { isTerminal: true, columns: 30 })).toBe(
    [
      "error: a.ts:1:1: one two three",
      "  four five six seven",
      "",
      `  ${FRAME}`,
      "  fix: repeat what was sent",
      "       before",
      "       chanctl dev",
      "           starts it again",
      "",
    ].join("\n"),
  );
});

it("leaves lines as they are where a program may read them", () => {
  expect(printed(ERROR, { isTerminal: false, columns: 30 })).toContain(
    "error: a.ts:1:1: one two three four five six seven\n",
  );
});
