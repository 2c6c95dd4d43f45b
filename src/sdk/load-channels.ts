import { readdir } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import type { AnyChannel } from "./channel.ts";
import { bind, channelsOf } from "./channels.ts";
import type { Channels, ChannelsOptions } from "./channels.ts";
import { isChannel } from "./define-channel.ts";

// As the broker sees the folder, but for `.json`: such a channel's app answers the calls without this SDK.
const CHANNEL_FILE = /\.(?:ts|js|mjs|mts)$/;
const NOT_A_CHANNEL = /^[._]|^node_modules$|\.d\.m?ts$|\.(?:test|spec)\.[^.]+$/;

/**
 * Imports every channel file of a folder and answers the broker for them. A channel that is added while the app
 * runs is imported when the broker first asks for it.
 *
 * @param folder as the broker's `channels` setting: relative to the working directory, or a file URL.
 * @throws {ChanctlError} `definition_invalid` naming the file, if one cannot be imported or is no channel.
 */
export async function loadChannels(
  folder: string | URL,
  { authorizeStream }: ChannelsOptions = {},
): Promise<Channels> {
  const root = resolve(typeof folder === "string" ? folder : fileURLToPath(folder));
  const byName = new Map<string, AnyChannel>();
  const load = async (): Promise<void> => {
    for (const [name, file] of await findChannelFiles(root)) {
      if (byName.has(name)) continue;
      const channel = await importChannel(file);
      bind(name, channel);
      byName.set(name, channel);
    }
  };
  await load();
  const findChannel = async (name: string): Promise<AnyChannel | undefined> => {
    if (!byName.has(name)) await load();
    return byName.get(name);
  };
  return channelsOf({ findChannel, authorizeStream });
}

async function findChannelFiles(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const path of await listFolder(root)) {
    const segments = path.split(sep);
    if (!CHANNEL_FILE.test(path) || segments.some((segment) => NOT_A_CHANNEL.test(segment))) continue;
    const name = segments.join("/").replace(CHANNEL_FILE, "");
    const other = files.get(name);
    if (other !== undefined) throw definedTwice(name, [other, join(root, path)]);
    files.set(name, join(root, path));
  }
  return files;
}

async function listFolder(root: string): Promise<string[]> {
  try {
    return (await readdir(root, { recursive: true })).sort();
  } catch (cause) {
    throw new ChanctlError(
      "definition_invalid",
      `the folder of channels cannot be read: ${messageOf(cause)}`,
      {
        cause,
        hint: "chanctl channel add chat     makes it, with a channel in it",
      },
    );
  }
}

async function importChannel(file: string): Promise<AnyChannel> {
  const shown = relative(process.cwd(), file);
  let imported: unknown;
  try {
    // Bundlers would look for the file when they build: https://webpack.js.org/api/module-methods/#webpackignore
    imported = await import(/* webpackIgnore: true */ /* @vite-ignore */ pathToFileURL(file).href);
  } catch (cause) {
    throw notImportable(shown, cause);
  }
  const channel = defaultOf(imported);
  if (isChannel(channel)) return channel;
  // A CommonJS module compiled from TypeScript has its default export one level further down.
  const inner = defaultOf(channel);
  if (isChannel(inner)) return inner;
  throw new ChanctlError("definition_invalid", `${shown} must have a channel as its default export`, {
    hint: "export default defineChannel({ … })",
  });
}

function defaultOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "default" in value ? value.default : undefined;
}

function notImportable(shown: string, cause: unknown): ChanctlError {
  if (errorCodeOf(cause) === "ERR_UNKNOWN_FILE_EXTENSION") {
    const message = `${shown} cannot be imported: Node ${process.versions.node} does not run TypeScript by itself`;
    return new ChanctlError("definition_invalid", message, {
      cause,
      hint: "node --import tsx server.ts     starts the app so that it does (npm install tsx)",
    });
  }
  return new ChanctlError("definition_invalid", `${shown} cannot be imported: ${messageOf(cause)}`, {
    cause,
  });
}

function definedTwice(name: string, files: readonly string[]): ChanctlError {
  const shown = files.map((file) => relative(process.cwd(), file)).join(" and ");
  return new ChanctlError("definition_invalid", `two files define the channel \`${name}\`: ${shown}`, {
    hint: "remove one of them",
  });
}
