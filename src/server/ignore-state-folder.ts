import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { usingStateFile } from "../platform/state-file.ts";
import { errorCodeOf } from "../shared/errors.ts";

/**
 * Keeps a project's state, its token above all, out of git where nobody has run `chanctl init`: the folder ignores
 * itself. A `.gitignore` that is there stays as it is.
 *
 * @throws {ChanctlError} `store_invalid` if it cannot be written.
 */
export async function ignoreStateFolder(stateFolder: string): Promise<void> {
  const path = join(stateFolder, ".gitignore");
  await usingStateFile(path, async () => {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    await writeFile(path, "*\n", { flag: "wx" }).catch((error: unknown) => {
      if (errorCodeOf(error) !== "EEXIST") throw error;
    });
  });
}
