import { ORIGIN } from "../../protocol/offset.ts";
import { JSON_MEDIA_TYPE } from "../../protocol/durable-streams/media-type.ts";
import type { Offset } from "../../protocol/offset.ts";
import type { Broker } from "../../broker/broker.ts";
import type { StreamState } from "../../broker/streams.ts";
import type { Registry } from "../../registry/registry.ts";
import { toStreamPath } from "../../protocol/stream-path.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { ChannelTarget } from "../channel-target.ts";
import { canonicalizePath } from "../../protocol/durable-streams/stream-path.ts";

/** A stream that a request is about: a channel's, or a raw one. */
export interface StreamTarget {
  /** Its path as clients know it, in its one form: `chat/room=lobby`, `jobs/42`. */
  readonly name: string;
  /** Its path in the store. */
  readonly path: string;
  /** Absent for a raw stream. */
  readonly channel?: ChannelTarget;
}

/** What is served of a stream. */
export interface ServedStream {
  readonly mediaType: string;
  readonly tail: Offset;
  readonly isClosed: boolean;
  /** Absent for a channel's stream that nobody has published to. */
  readonly state?: StreamState;
}

/** Under it are subscriptions and keys, never streams (PROTOCOL.md, section 6). */
export const CONTROL_SEGMENT = "__ds";

/**
 * What a path below the mount names.
 *
 * @throws {ChanctlError} `malformed`; `params_invalid`; `stream_unknown` for a path under a channel's name that is no
 *   stream of it.
 */
export function resolveStream(registry: Registry, text: string): StreamTarget {
  const name = canonicalizePath(text);
  if (name.split("/", 1)[0] === CONTROL_SEGMENT)
    throw new ChanctlError("malformed", `a stream's path must not begin with \`${CONTROL_SEGMENT}\``);
  const channel = findChannelOf(registry, name);
  if (channel === undefined) return { name, path: `/${name}` };
  return { name, path: channel.path, channel };
}

/** The longest name of a channel that the path begins with; the rest must be its params. */
function findChannelOf(registry: Registry, name: string): ChannelTarget | undefined {
  const segments = name.split("/");
  for (let count = segments.length; count > 0; count -= 1) {
    const channel = registry.get(segments.slice(0, count).join("/"));
    if (channel === undefined) continue;
    const segmentsOfParams = segments.slice(count);
    if (segmentsOfParams.some((segment) => segment.indexOf("=") < 1))
      throw new ChanctlError("stream_unknown", `the channel \`${channel.name}\` has no stream \`${name}\``);
    // Not `resolveTarget`, which leaves out what is the broker's own in a query: here all of it is the path.
    const params = channel.coerceParams(new URLSearchParams(segmentsOfParams.join("&")));
    return { channel, params, path: toStreamPath(channel.name, params) };
  }
  return undefined;
}

/**
 * The stream as it is now. A channel's is there as soon as the channel is, and reading it stores nothing.
 *
 * @throws {ChanctlError} `stream_unknown`, `stream_deleted`.
 */
export function findStream({ streams }: Broker, { name, path, channel }: StreamTarget): ServedStream {
  const state = streams.find(path);
  if (state?.isDeleted === true)
    throw new ChanctlError("stream_deleted", `the stream \`${name}\` was deleted`);
  if (state !== undefined) {
    const { mediaType, tailOffset, isClosed } = state;
    return { mediaType, tail: tailOffset, isClosed, state };
  }
  if (channel !== undefined) return { mediaType: JSON_MEDIA_TYPE, tail: ORIGIN, isClosed: false };
  throw new ChanctlError("stream_unknown", `there is no stream \`${name}\``);
}
