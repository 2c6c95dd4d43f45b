import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "vitest";

/** The path of a program, if the machine has it. */
export function findProgram(name: string): string | undefined {
  const suffixes = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
    .find(isExecutable);
}

/**
 * Skips the test, with the reason, where the machine lacks one of these programs. In CI the test fails
 * instead: there, a skipped test is one that nobody will miss.
 *
 * ```ts
 * it("is accepted by curl", async (context) => {
 *   requirePrograms(context, "curl");
 * ```
 *
 * Works in `beforeEach` too.
 */
export function requirePrograms(context: TestContext, ...names: readonly string[]): void {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) skipOrFail(context, `needs ${missing.join(" and ")}, not found on this machine`);
}

/** Skips the test with a reason, or fails it in CI. */
export function skipOrFail(context: TestContext, reason: string): never {
  if (process.env["CI"]) throw new Error(reason);
  return context.skip(reason);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
