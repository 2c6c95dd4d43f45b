import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { detectPackageManager, runCommand } from "../init/package-manager.ts";

/**
 * The command that starts a project's app, where nothing says it: the script `dev` of package.json, else `start`.
 * A script that runs chanctl itself would start it again without end, so it does not count.
 *
 * @returns `undefined` if there is no such script.
 */
export async function detectAppCommand(
  root: string,
  { env }: { env: Readonly<Record<string, string | undefined>> },
): Promise<string | undefined> {
  const manifest = await readManifest(root);
  const scripts = toRecord(manifest["scripts"]);
  const script = ["dev", "start"].find((name) => {
    const command = scripts[name];
    return typeof command === "string" && command.trim() !== "" && !/\bchanctl\b/.test(command);
  });
  if (script === undefined) return undefined;
  const declared = manifest["packageManager"];
  const manager = detectPackageManager({
    declared: typeof declared === "string" ? declared : undefined,
    fileNames: await readdir(root),
    userAgent: env["npm_config_user_agent"],
  });
  return runCommand(manager, script);
}

/** A package.json that is missing or broken says nothing about the app. */
async function readManifest(root: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return toRecord(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  } catch {
    return {};
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
