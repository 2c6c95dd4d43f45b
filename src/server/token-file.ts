import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { usingStateFile } from "../platform/state-file.ts";
import { errorCodeOf } from "../shared/errors.ts";

/**
 * The internal token of a project, made once: the app keeps it over restarts of the broker.
 *
 * @throws {ChanctlError} `store_invalid` if it can be neither read nor made.
 */
export async function loadToken(stateFolder: string): Promise<string> {
  const path = join(stateFolder, "token");
  return usingStateFile(path, () => readOrMake(path));
}

async function readOrMake(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Whoever creates the file decides; 0600 from its creation on (CWE-377).
    return await make(path, "wx");
  } catch (error) {
    if (errorCodeOf(error) !== "EEXIST") throw error;
    const known = (await readFile(path, "utf8")).trim();
    return known === "" ? await make(path, "w") : known;
  }
}

async function make(path: string, flag: "w" | "wx"): Promise<string> {
  const made = randomBytes(32).toString("base64url");
  await writeFile(path, `${made}\n`, { mode: 0o600, flag });
  return made;
}
