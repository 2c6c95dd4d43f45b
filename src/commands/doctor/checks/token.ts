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
    return judgeSecrets(files.flat());
  },
};

/** A file with its permission bits. */
export interface SecretFile {
  readonly path: string;
  readonly mode: number;
}

export function judgeSecrets(files: readonly SecretFile[]): Verdict | readonly Verdict[] | undefined {
  if (files.length === 0) return undefined;
  const open = files.filter(({ mode }) => (mode & 0o077) !== 0);
  if (open.length === 0) return { status: "ok", message: "for your eyes only" };
  return open.map(({ path, mode }) => ({
    status: "fail",
    message: `${path} can be read by others (${mode.toString(8).padStart(4, "0")})`,
    fix: `chmod 600 "${path}"`,
  }));
}
