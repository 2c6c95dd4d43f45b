import { join } from "node:path";

import type { Check, Scene, Verdict } from "../check.ts";

/** Whether a chanctl runs here, or one ended without taking back what it left. */
export const runFile: Check = {
  name: "run.json",
  group: "server",
  run: async ({ run, isProject, stateFolder }) =>
    isProject ? judgeRun(run, join(stateFolder, "run.json")) : undefined,
};

export function judgeRun(
  run: Pick<NonNullable<Scene["run"]>, "pid" | "url" | "version" | "isAlive"> | undefined,
  path: string,
): Verdict {
  if (run === undefined) return { status: "ok", message: "no chanctl runs here" };
  if (run.isAlive)
    return { status: "ok", message: `chanctl ${run.version} runs: ${run.url} (pid ${run.pid})` };
  return {
    status: "warn",
    message: `names pid ${run.pid}, which is gone: that chanctl was killed`,
    fix: `rm "${path}"     or start chanctl again, which replaces it`,
  };
}
