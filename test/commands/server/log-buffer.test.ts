import { expect, it } from "vitest";

import { LogBuffer } from "#src/commands/server/log-buffer.ts";

it("holds no more than it may, says how many lines are missing, and begins anew", () => {
  const buffer = new LogBuffer({ maxChars: 10, droppedLine: (count) => `${count} missing\n` });
  for (const line of ["one\n", "two\n", "three\n", "4\n", "five\n"]) buffer.add(line);
  expect(buffer.chars).toBe(8);
  expect(buffer.take()).toBe("one\ntwo\n3 missing\n");
  buffer.add("six\n");
  expect(buffer.take()).toBe("six\n");
  expect(buffer.take()).toBe("");
});
