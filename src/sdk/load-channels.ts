import { readdir } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { channelNameProblem } from "../protocol/channel-name.ts";
import { describeShape } from "../shared/describe-shape.ts";
import { errorCodeOf, messageOf } from "../shared/errors.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { AnyChannel } from "./channel.ts";
import { channelsOf } from "./channels.ts";
import type { Channels, ChannelsOptions } from "./channels.ts";
import { importChannel } from "./import-channel.ts";
import { startError } from "./start-error.ts";

// As the broker sees the folder, but for `.json`: such a channel's app answers the calls without this SDK.
const CHANNEL_FILE = /\.(?:ts|js|mjs|mts)$/;
const NOT_A_CHANNEL = /^[._]|^node_modules$|\.d\.m?ts$|\.(?:test|spec)\.[^.]+$/;

/**
 * Imports every channel file of a folder and answers the broker for them. A channel that is added while the app
 * runs is imported when the broker first asks for it.
 *
 * @param folder as the broker's `channels` setting: relative to the working directory, or a file URL.
 * @throws {ChanctlError} `definition_invalid` naming the folder if it cannot be read, or the file that cannot be imported,
 *   is no channel, or has a name that cannot be one's.
 */
export async function loadChannels(
  folder: string | URL,
  { authorizeStream }: ChannelsOptions = {},
): Promise<Channels> {
  const root = toPath(folder);
  const byName = new Map<string, AnyChannel>();
  const load = async (name: string, files: Files): Promise<AnyChannel> => {
    const file = onlyOf(files, name);
    assertName(name, file);
    const channel = await importChannel(file);
    channel.bindName(name);
    byName.set(name, channel);
    return channel;
  };
  for (const [name, files] of await findChannelFiles(root)) await load(name, files);
  const findChannel = async (name: string): Promise<AnyChannel | undefined> => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    // That one alone: a file beside it that is broken must not keep it from its callers.
    const files = (await findChannelFiles(root)).get(name);
    return files && load(name, files);
  };
  return channelsOf({ findChannel, authorizeStream });
}

function toPath(folder: unknown): string {
  if (folder instanceof URL && folder.protocol === "file:") return fileURLToPath(folder);
  if (typeof folder === "string" && folder !== "") return resolve(folder);
  const came = folder instanceof URL ? `\`${folder.href}\`` : describeShape(folder);
  const message = `\`loadChannels\` must be given the folder of channels, a path or a file URL, got ${came}`;
  throw startError(message, { hint: 'await loadChannels("./channels")' });
}

type Files = readonly [string, ...string[]];

async function findChannelFiles(root: string): Promise<Map<string, Files>> {
  const files = new Map<string, Files>();
  for (const path of await listFolder(root)) {
    const segments = path.split(sep);
    if (!CHANNEL_FILE.test(path) || segments.some((segment) => NOT_A_CHANNEL.test(segment))) continue;
    const name = segments.join("/").replace(CHANNEL_FILE, "");
    const others = files.get(name);
    files.set(name, others === undefined ? [join(root, path)] : [...others, join(root, path)]);
  }
  return files;
}

async function listFolder(root: string): Promise<string[]> {
  try {
    return (await readdir(root, { recursive: true })).sort();
  } catch (cause) {
    throw notReadable(root, cause);
  }
}

function notReadable(root: string, cause: unknown): ChanctlError {
  const code = errorCodeOf(cause);
  if (code === "ENOENT") {
    return startError(`the folder of channels is not there: ${root}`, {
      path: root,
      hint: [
        "chanctl channel add chat     makes it, with a channel in it",
        'loadChannels(new URL("./channels", import.meta.url))     finds it from the file that calls',
      ].join("\n"),
    });
  }
  if (code === "ENOTDIR") {
    return startError(`the folder of channels is a file: ${root}`, {
      path: root,
      hint: `loadChannels(${JSON.stringify(dirname(root))})     the folder that it is in`,
    });
  }
  return startError(`the folder of channels cannot be read: ${messageOf(cause)}`, {
    path: root,
    hint: `chmod u+rx ${root}     lets its owner read it`,
  });
}

function assertName(name: string, file: string): void {
  const problem = channelNameProblem(name);
  if (problem === undefined) return;
  throw startError(`${relative(process.cwd(), file)}: the channel's name \`${name}\` ${problem}`, {
    path: file,
    hint: "rename the file, or begin its name with `_` if it is no channel",
  });
}

/** @throws {ChanctlError} `definition_invalid` if there are several. */
function onlyOf(files: Files, name: string): string {
  const [file, other] = files;
  if (other === undefined) return file;
  const shown = files.map((path) => relative(process.cwd(), path)).join(" and ");
  throw startError(`two files define the channel \`${name}\`: ${shown}`, {
    path: dirname(file),
    hint: "remove one of them",
  });
}
