import { expect, it } from "vitest";

import { entryLine } from "#src/commands/server/json-lines.ts";

it("has no escape sequence and no control in it, wherever it comes from (CWE-150)", () => {
  const fields = { lastLines: ["\u001B[31mred\u001B[0m"], subject: "ana\u009B2J\u007F", afterMs: 1.23456 };
  const line = entryLine({ level: "error", event: "app-exit", message: "it\u001B[1m ended\nhere", fields });
  expect(line).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/); // eslint-disable-line no-control-regex
  expect(JSON.parse(line)).toMatchObject({
    message: "it ended\nhere",
    lastLines: ["red"],
    subject: "ana\u009B2J\u007F",
    afterMs: 1.235,
  });
});
