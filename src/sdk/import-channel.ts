import { relative } from "node:path";
import { pathToFileURL } from "node:url";

import { errorCodeOf, messageOf } from "../shared/errors.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { AnyChannel } from "./channel.ts";
import { isChannel } from "./define-channel.ts";
import { loadError } from "./load-error.ts";

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
  const channel = defaultOf(imported);
  if (isChannel(channel)) return channel;
  // A CommonJS module compiled from TypeScript has its default export one level further down.
  const inner = defaultOf(channel);
  if (isChannel(inner)) return inner;
  throw loadError(`${shown(file)} must have a channel as its default export`, {
    path: file,
    hint: "export default defineChannel({ … })",
  });
}

function defaultOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "default" in value ? value.default : undefined;
}

function notImportable(file: string, cause: unknown): ChanctlError {
  if (errorCodeOf(cause) === "ERR_UNKNOWN_FILE_EXTENSION") {
    const reason = `Node ${process.versions.node} does not run TypeScript by itself`;
    return loadError(`${shown(file)} cannot be imported: ${reason}`, {
      path: file,
      hint: "node --import tsx server.ts     starts the app so that it does (npm install tsx)",
    });
  }
  return loadError(`${shown(file)} cannot be imported: ${messageOf(cause)}`, {
    path: file,
    cause,
    hint: "chanctl channel list     shows the line",
  });
}

function shown(file: string): string {
  return relative(process.cwd(), file);
}
