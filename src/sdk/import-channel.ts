import { relative } from "node:path";
import { pathToFileURL } from "node:url";

import { channelExportOf, noChannel } from "../protocol/channel-export.ts";
import { errorCodeOf, messageOf } from "../shared/errors.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { AnyChannel } from "./channel.ts";
import { isChannel } from "./define-channel.ts";
import { startError } from "./start-error.ts";

/**
 * Imports the channel of a file.
 *
 * @param file absolute.
 * @throws {ChanctlError} `definition_invalid` naming the file, if it cannot be imported or is no channel.
 */
export async function importChannel(file: string): Promise<AnyChannel> {
  let imported: unknown;
  try {
    // Bundlers would look for the file when they build: https://webpack.js.org/api/module-methods/#webpackignore
    imported = await import(/* webpackIgnore: true */ /* @vite-ignore */ pathToFileURL(file).href);
  } catch (cause) {
    throw notImportable(file, cause);
  }
  const channel = channelExportOf(imported);
  if (isChannel(channel)) return channel;
  const { message, hint } = noChannel(channel, shown(file));
  throw startError(`${shown(file)}: ${message}`, { path: file, hint });
}

function notImportable(file: string, cause: unknown): ChanctlError {
  const isTypeScript = errorCodeOf(cause) === "ERR_UNKNOWN_FILE_EXTENSION";
  const reason = isTypeScript
    ? `Node ${process.versions.node} does not run TypeScript by itself`
    : messageOf(cause);
  return startError(`${shown(file)} cannot be imported: ${reason}`, {
    path: file,
    ...(isTypeScript ? {} : { cause }),
    hint: importHint(cause),
  });
}

/** Bundled, as the broker loads it, a file may do what Node's own loader refuses: `channel list` would show no error. */
const HINTS: Readonly<Record<string, string>> = {
  ERR_UNKNOWN_FILE_EXTENSION:
    "node --import tsx server.ts     starts the app so that it does (npm install tsx)",
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    "node --import tsx server.ts     starts the app so that all of TypeScript runs (npm install tsx)",
  ERR_UNSUPPORTED_DIR_IMPORT: 'import … from "./limits/index.js"     Node looks for no file in a folder',
};
const BROKEN = "chanctl channel list     shows the line";

function importHint(cause: unknown): string {
  const code = errorCodeOf(cause);
  if (code !== "ERR_MODULE_NOT_FOUND") return (code === undefined ? undefined : HINTS[code]) ?? BROKEN;
  // Node names the URL of a missing file only; of a package there is none.
  return hasUrl(cause)
    ? 'import … from "./limits.js"     Node finds a file by its whole name, with the extension'
    : "npm install     in the project, with the package's name if package.json lacks it";
}

function hasUrl(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && "url" in thrown;
}

function shown(file: string): string {
  return relative(process.cwd(), file);
}
