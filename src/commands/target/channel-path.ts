import { channelOfPath } from "../../protocol/stream-path.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { ChannelArgs } from "./channel-args.ts";

/**
 * Reads a channel's name, or the path of one of its streams as `dev` prints it: `chat/room=lobby`.
 *
 * @throws {ChanctlError} `usage` if what follows the name is no `name=value`.
 */
export function parseChannelPath(path: string): Pick<ChannelArgs, "channel" | "params"> {
  const channel = channelOfPath(path);
  if (channel === path) return { channel, params: [] };
  const segments = path.slice(channel.length + 1).split("/");
  return { channel, params: segments.map((segment) => parseSegment(segment, path)) };
}

function parseSegment(segment: string, path: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(segment) ?? [];
  if (name !== undefined && value !== undefined) return [name, decode(value)];
  throw new ChanctlError("usage", `what follows a channel's name must be \`name=value\`, got \`${path}\``, {
    hint: 'chanctl tail chat --room "a/b"     where a value holds a `/`',
  });
}

/** What is no percent-encoding was typed by hand. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
