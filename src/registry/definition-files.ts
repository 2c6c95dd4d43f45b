import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, relative, sep } from "node:path";

import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

const DEFINITION_FILE = /\.(?:ts|js|mjs|mts|json)$/;
const NOT_A_CHANNEL = /^[._]|\.d\.m?ts$|\.(?:test|spec)\.[^.]+$/;

/** What a folder of channel files holds. */
export interface DefinitionFiles {
  /** The files of each channel by its name: one, or more where it is defined twice; absolute. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
  /** The folder and those below it that may hold channels, absolute. */
  readonly folders: readonly string[];
}

/**
 * Lists the definition files of a folder: `chat.ts` is `chat`, `game/moves.json` is `game/moves`.
 *
 * What begins with `_` or `.` is not a channel, neither are declarations and tests. A folder that is not there
 * holds nothing.
 *
 * @throws {ChanctlError} `definition_invalid` if a folder cannot be read.
 */
export function listDefinitionFiles(folder: string): DefinitionFiles {
  const byName = new Map<string, string[]>();
  const folders: string[] = [];
  const visit = (current: string): void => {
    const entries = readFolder(current);
    if (entries === undefined) return;
    folders.push(current);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(current, entry.name);
      if (NOT_A_CHANNEL.test(entry.name)) continue;
      if (entry.isDirectory() && entry.name !== "node_modules") visit(path);
      if (entry.isDirectory() || !DEFINITION_FILE.test(entry.name)) continue;
      const name = relative(folder, path).replaceAll(sep, "/").replace(DEFINITION_FILE, "");
      byName.set(name, [...(byName.get(name) ?? []), path]);
    }
  };
  visit(folder);
  return { byName, folders };
}

/**
 * Where the folder should be there may be nothing yet, but no file: nobody would look for the channels that are missing.
 *
 * @throws {ChanctlError} `definition_invalid`.
 */
export function assertNoFile(folder: string): void {
  if (!isFile(folder)) return;
  throw new ChanctlError("definition_invalid", `the folder of channels is a file: ${folder}`, {
    hint: "move it away, or set `channels` in the config to a folder",
  });
}

/**
 * What to say of a folder that is not there, with what to do. Of `channels` in the project nothing: it comes with the first
 * channel. Any other has been named in the settings, and may be mistyped.
 */
export function missingFolder({
  root,
  folder,
}: {
  readonly root: string;
  readonly folder: string;
}): Missing | undefined {
  if (folder === join(root, "channels") || existsSync(folder)) return undefined;
  const hint = `mkdir -p ${folder}     or set \`channels\` in the config to the folder that is meant`;
  return { message: `the folder of channels is not there: ${folder}`, hint };
}

interface Missing {
  readonly message: string;
  readonly hint: string;
}

/** What cannot be looked at is no file: reading it says why. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ChanctlError(
      "definition_invalid",
      `the folder of channels cannot be read: ${messageOf(error)}`,
      {
        cause: error,
        hint: `chmod u+rx ${folder}     lets its owner read it`,
      },
    );
  }
}

/** Whether a path may be a definition file, or a folder that holds some, by its name alone. */
export function mayHoldDefinition(path: string): boolean {
  return extname(path) === "" || (DEFINITION_FILE.test(path) && !NOT_A_CHANNEL.test(basename(path)));
}
