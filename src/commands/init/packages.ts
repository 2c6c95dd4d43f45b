import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { readPackageVersion } from "../../platform/package-version.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import type { PackageManager } from "./package-manager.ts";

/** Which of these packages the code in a folder cannot import. */
export function missingPackages(folder: string, names: readonly string[]): string[] {
  const { resolve } = createRequire(join(folder, "package.json"));
  return names.filter((name) => {
    try {
      resolve(`${name}/package.json`);
      return false;
    } catch {
      return true;
    }
  });
}

/** The version of chanctl that a project gets: this one. One that runs from its own checkout is linked there. */
export async function chanctlVersion(): Promise<string> {
  const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
  const isInstalled = root.split(sep).includes("node_modules");
  return isInstalled ? `^${await readPackageVersion()}` : `file:${root}`;
}

/**
 * Runs the package manager's install; its output goes to standard error.
 *
 * @throws {ChanctlError} `install_failed` with the command to repeat.
 */
export async function installPackages(folder: string, manager: PackageManager, io: Io): Promise<void> {
  // npm and its like are .cmd files on Windows, which only a shell starts.
  const child = spawn(manager, ["install"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => io.stderr(text));
  const [code] = await once(child, "close").catch((error: unknown) => [error]);
  if (code === 0) return;
  const ending = typeof code === "number" ? `ended with ${code}` : `did not start: ${String(code)}`;
  throw new ChanctlError("install_failed", `the files are written, but \`${manager} install\` ${ending}`, {
    hint: `cd ${folder} && ${manager} install`,
  });
}
