import { access, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import { importConfig } from "./config-import.ts";
import type { ConfigImport } from "./config-import.ts";

/** The project that a command works in. */
export interface Project {
  /** The folder of the config, else of package.json, else the working directory; absolute. */
  readonly root: string;
  /** The config file, absolute. */
  readonly configPath?: string;
}

/** A config as its file gave it: not checked yet. */
export interface LoadedConfig {
  readonly path: string;
  readonly value: unknown;
  /** The file's text, for the places in errors. */
  readonly source: string;
}

/** The names that a config may have; a folder holds one of them. */
export const CONFIG_FILE_NAMES: readonly string[] = ["ts", "js", "mjs", "json"].map(
  (extension) => `chanctl.config.${extension}`,
);

/**
 * Finds the project's folder and config, from the working directory up to the package root.
 *
 * @throws {ChanctlError} `config_invalid` if a folder holds two config files.
 */
export async function findProject(cwd: string): Promise<Project> {
  for (const folder of ancestors(cwd)) {
    const configPath = await findConfig(folder);
    if (configPath !== undefined) return { root: folder, configPath };
    if (await exists(join(folder, "package.json"))) return { root: folder };
  }
  return { root: cwd };
}

async function findConfig(folder: string): Promise<string | undefined> {
  const paths = CONFIG_FILE_NAMES.map((name) => join(folder, name));
  const found = (await Promise.all(paths.map(async (path) => ((await exists(path)) ? [path] : [])))).flat();
  const [first, second] = found;
  if (first !== undefined && second !== undefined) {
    throw new ChanctlError(
      "config_invalid",
      `there must be one config file, got ${basename(first)} and ${basename(second)}`,
      { hint: `rm ${second}     if ${basename(first)} is the one that counts` },
    );
  }
  return first;
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A project with its config loaded. */
export interface LoadedProject {
  readonly root: string;
  readonly config: LoadedConfig | undefined;
}

/**
 * Finds the project and loads its config.
 *
 * @throws {ChanctlError} `config_invalid` with the place of what is wrong.
 */
export async function loadProject(cwd: string, options: LoadOptions = {}): Promise<LoadedProject> {
  const { root, configPath } = await findProject(cwd);
  return { root, config: configPath === undefined ? undefined : await loadConfig(configPath, options) };
}

type LoadOptions = Pick<ConfigImport, "onInput" | "signal" | "timeoutMs">;

async function loadConfig(path: string, options: LoadOptions): Promise<LoadedConfig> {
  options.onInput?.(path);
  const source = await readFile(path, "utf8").catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const value = parseJson(path, source) ?? (await importConfig({ path, source, ...options }));
  return { path, source, value };
}

function unreadable(path: string, cause: unknown): ChanctlError {
  const code = errorCodeOf(cause);
  if (code === "EISDIR") {
    const hint = `mv "${path}" "${path}.old"     without a config the defaults are in force`;
    return new ChanctlError("config_invalid", `${path} must be a file, got a folder`, { cause, hint });
  }
  const hint =
    code === "EACCES"
      ? `chmod u+r "${path}"     lets its owner read it`
      : `ls -l "${path}"     it must be a file that this user may read`;
  const reason = code ?? messageOf(cause);
  return new ChanctlError("config_invalid", `${path} cannot be read (${reason})`, { cause, hint });
}

/** JSON needs no bundler; what is no JSON is given to it all the same, for its place and its code frame. */
function parseJson(path: string, source: string): unknown {
  if (!path.endsWith(".json")) return undefined;
  try {
    return JSON.parse(source.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}
