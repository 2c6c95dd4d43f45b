import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ChanctlError, errorCodeOf, messageOf } from "../../shared/errors.ts";
import type { Change } from "./plan.ts";

/**
 * Reads those of the files that are there.
 *
 * @throws {ChanctlError} `would_overwrite` if one of them is something else than a file that can be read.
 */
export async function readExisting(folder: string, paths: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    try {
      texts.set(path, await readFile(join(folder, path), "utf8"));
    } catch (cause) {
      if (errorCodeOf(cause) === "ENOENT") continue;
      throw new ChanctlError("would_overwrite", `${path} must be a file: ${messageOf(cause)}`, {
        cause,
        hint: `mv "${path}" "${path}.old"     makes room for it`,
      });
    }
  }
  return texts;
}

/**
 * Writes the changed files, all or none: each is first written beside its place, and only when that has gone well
 * for all are they moved there.
 */
export async function writeFiles(folder: string, changes: readonly Change[]): Promise<void> {
  const writes = changes
    .filter(({ kind }) => kind !== "keep")
    .map(({ path, text }) => {
      const target = join(folder, path);
      return { target, text, staged: `${target}.${process.pid}.tmp` };
    });
  try {
    for (const { target, staged, text } of writes) {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(staged, text, { flag: "wx" });
    }
    for (const { target, staged } of writes) await rename(staged, target);
  } finally {
    await Promise.all(writes.map(({ staged }) => rm(staged, { force: true })));
  }
}
