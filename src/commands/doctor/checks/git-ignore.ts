import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import type { Check, Verdict } from "../check.ts";

const run = promisify(execFile);

/** Whether git would take `.chanctl`, with its token, into a commit (CWE-538). */
export const gitIgnore: Check = {
  name: ".gitignore",
  group: "project",
  run: async ({ root, isProject }, signal) => {
    if (!isProject || !isInRepository(root)) return undefined;
    const git = async (...args: string[]): Promise<string | number> =>
      run("git", args, { cwd: root, signal }).then(
        ({ stdout }) => stdout,
        (error: unknown) => exitCodeOf(error),
      );
    const [ignored, tracked] = await Promise.all([
      git("check-ignore", "-q", ".chanctl/token"),
      git("ls-files", "--", ".chanctl"),
    ]);
    return judgeGitIgnore({
      isIgnored: typeof ignored === "string" ? true : ignored === 1 ? false : undefined,
      isTracked: typeof tracked === "string" && tracked.trim() !== "",
    });
  },
};

interface GitFacts {
  /** `undefined` where git could not say. */
  readonly isIgnored: boolean | undefined;
  /** Whether something of `.chanctl` is in the repository already. */
  readonly isTracked: boolean;
}

export function judgeGitIgnore({ isIgnored, isTracked }: GitFacts): Verdict | undefined {
  if (isTracked) {
    return {
      status: "fail",
      message: "files of .chanctl are in the repository, perhaps the token too",
      fix: "git rm -r --cached .chanctl\nrm .chanctl/token     the next start makes another",
    };
  }
  if (isIgnored === undefined) return undefined;
  if (isIgnored) return { status: "ok", message: "has .chanctl" };
  return {
    status: "fail",
    message: ".chanctl is not ignored: the token would be committed",
    fix: "echo .chanctl >> .gitignore",
  };
}

function isInRepository(folder: string): boolean {
  if (existsSync(join(folder, ".git"))) return true;
  return dirname(folder) !== folder && isInRepository(dirname(folder));
}

function exitCodeOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("code" in error)) return -1;
  return typeof error.code === "number" ? error.code : -1;
}
