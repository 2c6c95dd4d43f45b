import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";

import { stampOf } from "./file-stamp.ts";
import type { FileStamps } from "./file-stamp.ts";

/** What npm, pnpm, yarn 1 and later yarns write last: a package may be there before those are that it needs. */
const END_OF_INSTALL = [".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"];
const PACKAGE_NAME = /^(?:@[\w.~-]+\/)?[\w~-][\w.~-]*(?=\/|$)/;

/** Packages, and the project that they are imported in. */
interface Wanted {
  readonly names: readonly string[];
  /** The project's folder, absolute. */
  readonly root: string;
}

/** The names of the packages that a module imports, from what it imports by: `lodash/fp` is of `lodash`. */
export function packageNames(specifiers: readonly string[]): readonly string[] {
  const names = specifiers.flatMap((specifier) =>
    isBuiltin(specifier) ? [] : (PACKAGE_NAME.exec(specifier) ?? []),
  );
  return [...new Set(names)];
}

/** The stamps of files that are others once packages have been installed. */
export function packageStamps({ names, root }: Wanted): FileStamps {
  const files = [...names.map((name) => join(name, "package.json")), ...END_OF_INSTALL];
  const paths = packageFolders(root).flatMap((folder) => files.map((file) => join(folder, file)));
  return Object.fromEntries(paths.map((path) => [path, stampOf(path)]));
}

/** The command that installs those that are missing. */
export function installCommand({ names, root }: Wanted): string {
  const folders = packageFolders(root);
  const manifest = readManifest(root);
  const unknown = names.filter((name) => {
    const isThere = folders.some((folder) => existsSync(join(folder, name, "package.json")));
    return !isThere && !manifest.includes(JSON.stringify(name));
  });
  return ["npm install", ...unknown].join(" ");
}

/** The project's, and those of the workspace that it may be part of. */
function packageFolders(root: string): string[] {
  return ancestors(root)
    .filter((folder) => folder === root || existsSync(join(folder, "package.json")))
    .map((folder) => join(folder, "node_modules"));
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

function readManifest(root: string): string {
  try {
    return readFileSync(join(root, "package.json"), "utf8");
  } catch {
    return "";
  }
}
