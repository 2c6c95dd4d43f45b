import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCodeOf } from "../shared/errors.ts";

/** The internal token of a project, made once: the app keeps it over restarts of the broker. */
export async function loadToken(stateFolder: string): Promise<string> {
  const path = join(stateFolder, "token");
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  try {
    // Whoever creates the file decides; 0600 from its creation on (CWE-377).
    const made = randomBytes(32).toString("base64url");
    await writeFile(path, `${made}\n`, { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    if (errorCodeOf(error) !== "EEXIST") throw error;
    const known = (await readFile(path, "utf8")).trim();
    if (known !== "") return known;
    const made = randomBytes(32).toString("base64url");
    await writeFile(path, `${made}\n`, { mode: 0o600 });
    return made;
  }
}
