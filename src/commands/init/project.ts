import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { ChanctlError, errorCodeOf } from "../../shared/errors.ts";
import { detectFrameworks } from "./framework.ts";
import type { Framework } from "./framework.ts";
import type { PackageJson } from "./package-json.ts";
import { detectOtherLanguage, otherAppCommand } from "./other-language.ts";
import type { OtherLanguage } from "./other-language.ts";
import { detectPackageManager, isLockfile } from "./package-manager.ts";
import type { PackageManager } from "./package-manager.ts";
import { readPackageJson } from "./read-package-json.ts";

/** What `init` finds in a folder. */
export interface Project {
  /** Absolute. */
  readonly folder: string;
  /** Paths of all files that matter here, from the folder, with `/`. */
  readonly paths: ReadonlySet<string>;
  readonly packageJson?: PackageJson;
  readonly manager: PackageManager;
  /** Whether there is no app of its own in it yet. */
  readonly isEmpty: boolean;
  /** Set where the app is not Node's. */
  readonly other?: {
    readonly language: OtherLanguage;
    /** Starts the app; absent where the files do not tell. */
    readonly command?: string;
  };
  /** What is found in the dependencies; several where it cannot be told which one serves. */
  readonly frameworks: readonly Framework[];
  readonly language: "ts" | "js";
  readonly modules: "esm" | "cjs";
  /** Whether the app is started from its TypeScript, so that it can import more of it while it runs. */
  readonly runsTypeScript: boolean;
}

/** Files that come before there is an app: nothing in them says what it is. */
const NO_APP =
  /^(\..*|readme.*|licen[cs]e.*|changelog.*|node_modules|package\.json|tsconfig\.json|.*\.tgz)$/i;

/** Packages that `init` itself asks for, or that every TypeScript project has. */
const NO_FRAMEWORK = new Set(["chanctl", "tsx", "typescript", "@types/node"]);

/**
 * Looks at a folder; one that does not exist is empty.
 *
 * @throws {ChanctlError} `config_invalid` if package.json cannot be read as one; `usage` if it is no folder.
 */
export async function inspectProject(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Project> {
  const names = await listFolder(folder);
  const language = detectOtherLanguage(folder);
  const command = language && (await otherAppCommand(folder, language));
  const packageJson = names.includes("package.json") ? await readPackageJson(folder) : undefined;
  const dependencies = Object.keys(packageJson?.dependencies ?? {});
  const scripts = Object.values(packageJson?.scripts ?? {}).join("\n");
  const declared = packageJson?.fields["packageManager"];
  return {
    folder,
    paths: new Set(await listPaths(folder, names)),
    ...(packageJson === undefined ? {} : { packageJson }),
    manager: detectPackageManager({
      declared: typeof declared === "string" ? declared : undefined,
      fileNames: names,
      userAgent: env["npm_config_user_agent"],
    }),
    isEmpty:
      names.every((name) => NO_APP.test(name) || isLockfile(name)) &&
      dependencies.every((name) => NO_FRAMEWORK.has(name)),
    ...(language === undefined ? {} : { other: { language, ...(command === undefined ? {} : { command }) } }),
    frameworks: detectFrameworks(dependencies, names),
    language: names.includes("tsconfig.json") || dependencies.includes("typescript") ? "ts" : "js",
    modules: packageJson?.fields["type"] === "module" ? "esm" : "cjs",
    runsTypeScript: /\b(tsx|bun|deno|ts-node|--experimental-strip-types)\b/.test(scripts),
  };
}

/** The name that a folder gives to its package. */
export function packageNameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "chat" : name;
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return [];
    if (errorCodeOf(error) !== "ENOTDIR") throw error;
    throw new ChanctlError("usage", `${folder} must be a folder, or a place for a new one, and is a file`, {
      cause: error,
      hint: "chanctl init my-chat     makes one here",
    });
  }
}

/** One level deep: enough to know a scaffold again and to find the file that starts the app. */
async function listPaths(folder: string, names: readonly string[]): Promise<string[]> {
  const inside = await Promise.all(
    ["app", "channels", "public", "src"]
      .filter((name) => names.includes(name))
      .map(async (name) => {
        const entries = await readdir(join(folder, name)).catch(() => []);
        return entries.map((entry) => `${name}/${entry}`);
      }),
  );
  return [...names, ...inside.flat()];
}
