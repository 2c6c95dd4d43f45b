import { mkdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { toFileError } from "#src/commands/file-error.ts";

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (thrown) {
    return thrown;
  }
}

it("names the file and what to do, whatever command met it", () => {
  expect(toFileError(thrownBy(() => mkdirSync("/proc/version/x")))).toMatchObject({
    code: "file_failed",
    exitCode: 1,
    message: "/proc/version/x cannot be used: a file is in the place of a folder",
    hint: "move it away",
  });
  expect(toFileError(thrownBy(() => readFileSync("/")))).toMatchObject({ hint: "move it away" });
});

it("takes nothing else for one", () => {
  expect([new Error("x"), "ENOENT", undefined, { code: "ERR_X" }].map(toFileError)).toEqual(
    Array.from({ length: 4 }),
  );
});
