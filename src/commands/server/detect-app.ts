import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { planApp } from "../../app/app-plan.ts";
import { readManifest, readScripts, scriptsOf } from "../../server/package-manifest.ts";
import { detectPackageManager, runCommand } from "../init/package-manager.ts";

/** What makes a project a framework's, and the command that serves it. */
const SERVERS: readonly { readonly file: string; readonly command: (root: string) => string }[] = [
  { file: "artisan", command: () => "php artisan serve" },
  { file: "bin/rails", command: () => "bin/rails server" },
  { file: "manage.py", command: (root) => `${pythonOf(root)} manage.py runserver` },
];

/** Serve a page's scripts and styles. Beside a server framework they are not the app. */
const BUNDLERS = new Set(["vite", "webpack", "rspack", "rsbuild"]);

/**
 * The command that starts a project's app, where nothing says it: the script `dev` of package.json, else `start`,
 * else what a Rails, Django or Laravel project is served with.
 * A script that runs chanctl itself would start it again without end, so it does not count.
 *
 * @returns `undefined` if there is none.
 */
export async function detectAppCommand(
  root: string,
  { env }: { env: Readonly<Record<string, string | undefined>> },
): Promise<string | undefined> {
  const manifest = readManifest(root);
  const scripts = scriptsOf(manifest);
  const server = SERVERS.find(({ file }) => existsSync(join(root, file)))?.command(root);
  const script = ["dev", "start"].find((name) => {
    const command = scripts[name];
    return typeof command === "string" && command.trim() !== "" && !/\bchanctl\b/.test(command);
  });
  if (script === undefined) return server;
  const { framework = "" } = planApp(`npm run ${script}`, { folder: root, scriptsIn: readScripts });
  if (server !== undefined && BUNDLERS.has(framework)) return server;
  const declared = manifest["packageManager"];
  const manager = detectPackageManager({
    declared: typeof declared === "string" ? declared : undefined,
    fileNames: await readdir(root),
    userAgent: env["npm_config_user_agent"],
  });
  return runCommand(manager, script);
}

function pythonOf(root: string): string {
  return [".venv/bin/python", "venv/bin/python"].find((path) => existsSync(join(root, path))) ?? "python3";
}
