import { basename, dirname, extname, join } from "node:path";

import { ChanctlError } from "../../shared/errors.ts";
import { keptFile } from "./desired-files.ts";
import type { DesiredFile } from "./desired-files.ts";
import type { Project } from "./project.ts";

/** Files of which a project has one, whatever their extension: its config and each channel. */
const ONE_OF_A_KIND = /^(?:chanctl\.config|channels\/[^/]+)\.(?:ts|js|mjs|mts|json)$/;

/**
 * Puts in place of each wanted file what the project has of that name with another extension: beside it the wanted one
 * would define the same channel, or the config, a second time, and `dev` would not start.
 *
 * @throws {ChanctlError} `config_invalid` or `definition_invalid` where the project has two already.
 */
export function keepTwins(
  files: readonly DesiredFile[],
  { folder, paths }: Pick<Project, "folder" | "paths">,
): DesiredFile[] {
  return files.map((file) => {
    const stem = stemOf(file.path);
    if (stem === undefined) return file;
    const present = [...paths].filter((path) => stemOf(path) === stem).sort();
    const [first, second] = present;
    if (first === undefined) return file;
    if (second !== undefined) throw twoOfAKind(folder, present);
    return first === file.path ? file : keptFile(first, { for: file.path });
  });
}

/** A path without its extension; `undefined` where two extensions may stand side by side. */
function stemOf(path: string): string | undefined {
  return ONE_OF_A_KIND.test(path) ? path.slice(0, path.lastIndexOf(".")) : undefined;
}

function twoOfAKind(folder: string, present: readonly string[]): ChanctlError {
  const [first = "", second = ""] = present;
  const got = `got ${present.join(" and ")}`;
  const hint = `rm ${join(folder, second)}     if ${first} is the one that counts`;
  if (dirname(first) === ".")
    return new ChanctlError("config_invalid", `there must be one config file, ${got}`, { hint });
  const name = basename(first, extname(first));
  return new ChanctlError("definition_invalid", `there must be one file of the channel \`${name}\`, ${got}`, {
    hint,
  });
}
