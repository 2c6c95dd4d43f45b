import { compareDefinitions } from "../registry/channel-change.ts";
import type { Channel } from "../registry/channel.ts";
import type { Registry } from "../registry/registry.ts";
import { clip } from "../shared/clip.ts";
import { ChanctlError } from "../shared/errors.ts";
import { toStreamPath } from "../protocol/stream-path.ts";
import type { Params } from "../protocol/stream-path.ts";
import { meantPath } from "./meant-path.ts";

/** Everything under it belongs to the broker and is never proxied. */
const CHANNELS_PREFIX = "/channels/";

/** Query parameters that are the broker's own on a channel's URL. */
const OWN_PARAMETERS = ["last_message_id", "rewind", "token"] as const;

const MESSAGES_SUFFIX = "/messages";

/** What a URL under `/channels/` means. */
export interface ChannelUrl {
  readonly name: string;
  /** The channel itself, or its messages, which are POSTed to. */
  readonly resource: "channel" | "messages";
  /** The query as it came, without its `?`. */
  readonly search: string;
  readonly query: URLSearchParams;
}

/** A stream of a channel that a request is about. */
export interface ChannelTarget {
  readonly channel: Channel;
  readonly params: Params;
  /** The stream's canonical path. */
  readonly path: string;
}

/** Takes a URL under `/channels/` apart; `undefined` for any other. Nothing is checked yet. */
export function parseChannelUrl(url: string): ChannelUrl | undefined {
  const [raw, search = ""] = splitOnce(url, "?");
  const path = raw.startsWith(CHANNELS_PREFIX) ? raw : meantPath(raw);
  if (!path.startsWith(CHANNELS_PREFIX)) return undefined;
  const rest = path.slice(CHANNELS_PREFIX.length);
  const isMessages = rest.endsWith(MESSAGES_SUFFIX);
  return {
    name: isMessages ? rest.slice(0, -MESSAGES_SUFFIX.length) : rest,
    resource: isMessages ? "messages" : "channel",
    search,
    query: new URLSearchParams(search),
  };
}

/** @throws {ChanctlError} `channel_unknown`. The names that there are are no business of a stranger. */
export function findChannel(registry: Registry, name: string): Channel {
  const channel = registry.get(name);
  if (channel !== undefined) return channel;
  if (!registry.isBroken(name)) throw new ChanctlError("channel_unknown", `there is no channel \`${name}\``);
  // Not why: that quotes the source (CWE-209). Only `dev` runs with such a channel.
  throw new ChanctlError("channel_unknown", `the channel \`${name}\` does not load`, {
    hint: "chanctl says why where it runs; mend its file and save it",
  });
}

/**
 * The target with its channel as it is now; what was asked about may have changed while the app was asked (CWE-367).
 *
 * @throws {ChanctlError} `channel_unknown` if it is gone; `channel_changed` if who may read or write what is no
 *   longer what it was: come back and be asked again.
 */
export function toCurrent(registry: Registry, target: ChannelTarget): ChannelTarget {
  const { definition } = target.channel;
  const channel = findChannel(registry, definition.name);
  if (channel === target.channel) return target;
  const { params, auth, transport } = compareDefinitions(definition, channel.definition);
  if (!params && !auth && !transport) return { ...target, channel };
  throw new ChanctlError("channel_changed", `the definition of \`${definition.name}\` has changed`, {
    retryAfterSecs: 1,
  });
}

/**
 * The stream of a channel that a query means.
 *
 * @param search the query as it came, without its `?`.
 * @throws {ChanctlError} `params_invalid` naming the param.
 */
export function resolveTarget(channel: Channel, search: string): ChannelTarget {
  assertDecodable(search);
  const given = new URLSearchParams(search);
  for (const name of OWN_PARAMETERS) {
    if (given.getAll(name).length > 1)
      throw new ChanctlError("params_invalid", `\`${name}\` must be given once, got it twice`);
    given.delete(name);
  }
  const params = channel.coerceParams(given);
  return { channel, params, path: toStreamPath(channel.definition.name, params) };
}

/**
 * `URLSearchParams` reads bytes that are not UTF-8 as U+FFFD and keeps a `%` that begins no escape: what two callers
 * call by different names would be one stream (CWE-176).
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-2.1
 */
function assertDecodable(search: string): void {
  for (const part of search.split("&")) {
    if (/^[!-~]*$/.test(part) && decode(part) !== undefined) continue;
    const [name] = splitOnce(part, "=");
    const shown = clip(decode(name) ?? name);
    throw new ChanctlError("params_invalid", `the param \`${shown}\` must be percent-encoded UTF-8`, {
      hint: "encode it with `encodeURIComponent` or `URLSearchParams`",
    });
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
