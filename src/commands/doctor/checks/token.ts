import { stat } from "node:fs/promises";
import { join } from "node:path";

import { errorCodeOf } from "../../../shared/errors.ts";
import type { Check, Verdict } from "../check.ts";

/** Whether others can read the files that open every channel (CWE-732). */
export const token: Check = {
  name: "token",
  group: "project",
  run: async ({ stateFolder }) => {
    if (process.platform === "win32") return undefined; // no modes there
    const files = await Promise.all(
      ["token", "run.json"].map(async (name) => {
        const path = join(stateFolder, name);
        const mode = await stat(path).then(
          (stats) => stats.mode & 0o777,
          (error: unknown) => {
            if (errorCodeOf(error) === "ENOENT") return undefined;
            throw error;
          },
        );
        return mode === undefined ? [] : [{ path, mode }];
      }),
    );
    const folder = await stat(stateFolder).catch(() => undefined);
    // Nobody comes to a file through a folder that they may not pass through.
    const isClosed = folder !== undefined && (folder.mode & 0o011) === 0;
    return judgeSecrets(files.flat(), { isClosed });
  },
};

/** A file with its permission bits. */
export interface SecretFile {
  readonly path: string;
  readonly mode: number;
}

/** @param options.isClosed whether the folder of the files lets nobody else in. */
export function judgeSecrets(
  files: readonly SecretFile[],
  { isClosed }: { readonly isClosed: boolean },
): Verdict | readonly Verdict[] | undefined {
  if (files.length === 0) return undefined;
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0);
  if (open.length === 0) return { status: "ok", message: "for your eyes only" };
  return open.map(({ path, mode }) => ({
    status: isClosed ? "warn" : "fail",
    message: `${isClosed ? `only its folder keeps others from ${path}` : `${path} can be read by others`} (${mode.toString(8).padStart(4, "0")})`,
    fix: `chmod 600 "${path}"`,
  }));
}
