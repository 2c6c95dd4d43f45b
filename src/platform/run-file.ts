import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errorCodeOf } from "../shared/errors.ts";
import { usingStateFile } from "./state-file.ts";

/** How the running server of a project is reached; `tail` and `publish` find it so. */
export interface RunFile {
  readonly url: string;
  readonly internalUrl: string;
  /** The operator token: it opens every channel, so the file is for its owner's eyes only. */
  readonly token: string;
  /** The CA that clients must trust, where chanctl made it. */
  readonly caPath?: string;
  readonly pid: number;
  /** The version of the chanctl that runs. */
  readonly version: string;
}

/** Where a project's run file is. */
function runFilePath(stateFolder: string): string {
  return join(stateFolder, "run.json");
}

/**
 * Writes the run file in one step: a reader sees the old one or the new one, never half of it.
 *
 * @throws {ChanctlError} `store_invalid` if it cannot be written.
 */
export async function writeRunFile(stateFolder: string, run: RunFile): Promise<void> {
  const path = runFilePath(stateFolder);
  const temporary = `${path}.${randomUUID()}`;
  await usingStateFile(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    // 0600 from its creation on: a chmod afterwards would leave a moment to read the token (CWE-377).
    await writeFile(temporary, `${JSON.stringify(run)}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporary, path);
  });
}

/**
 * Reads the run file of a project.
 *
 * @returns `undefined` if there is none or it cannot be understood: no server of this version runs.
 * @throws {ChanctlError} `store_invalid` if it is there and cannot be read.
 */
export async function readRunFile(stateFolder: string): Promise<RunFile | undefined> {
  const path = runFilePath(stateFolder);
  const text = await usingStateFile(path, () => readFile(path, "utf8").catch(ifMissing));
  return parseRunFile(text ?? "");
}

function ifMissing(error: unknown): undefined {
  if (errorCodeOf(error) !== "ENOENT") throw error;
}

function parseRunFile(text: string): RunFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRunFile(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the run file, unless another server has written its own meanwhile. */
export async function removeRunFile(stateFolder: string, { pid }: { pid: number }): Promise<void> {
  const run = await readRunFile(stateFolder);
  if (run === undefined || run.pid === pid) {
    const path = runFilePath(stateFolder);
    await usingStateFile(path, () => rm(path, { force: true }));
  }
}

function isRunFile(value: unknown): value is RunFile {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  const texts = [fields["url"], fields["internalUrl"], fields["token"], fields["version"]];
  const isCaPath = fields["caPath"] === undefined || typeof fields["caPath"] === "string";
  return texts.every((text) => typeof text === "string") && typeof fields["pid"] === "number" && isCaPath;
}
