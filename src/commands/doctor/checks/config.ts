import { basename } from "node:path";

import { ChanctlError } from "../../../shared/errors.ts";
import type { Check, Scene, Verdict } from "../check.ts";

/** Whether the config, the `CHANCTL_*` variables and the folder make sense. */
export const config: Check = {
  name: "config",
  group: "project",
  run: async (scene) => judgeConfig(scene),
};

/** Flags are not known here: a later `dev --port 0` may still say otherwise. */
export function judgeConfig({
  settings,
  configPath,
  isProject,
  root,
}: Pick<Scene, "settings" | "configPath" | "isProject" | "root">): Verdict {
  if (settings instanceof ChanctlError) {
    const { message, hint } = settings;
    return { status: "fail", message, ...(hint === undefined ? {} : { fix: hint }) };
  }
  if (!isProject) {
    return {
      status: "warn",
      message: `${root} is no project: it has no package.json and no chanctl.config`,
      fix: "chanctl init     makes one here",
    };
  }
  if (configPath !== undefined) return { status: "ok", message: basename(configPath) };
  return { status: "ok", message: "no chanctl.config: the defaults are in force" };
}
