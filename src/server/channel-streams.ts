import type { Streams } from "../broker/streams.ts";

/** A stream of a channel that is in the store. */
export interface ChannelStream {
  /** `chat/room=lobby`. */
  readonly path: string;
  /** What its messages take, in bytes. */
  readonly bytes: number;
}

/**
 * The stored streams of a channel in the order of their paths, at most `limit`.
 *
 * A stream without params is named as its channel; the others begin with the name and a slash.
 */
export function listChannelStreams(
  streams: Streams,
  { channel, limit }: { readonly channel: string; readonly limit: number },
): ChannelStream[] {
  const own = streams.find(channel);
  const withParams = streams.list({ prefix: `${channel}/`, limit }).streams;
  return [...(own === undefined || own.isDeleted ? [] : [own]), ...withParams]
    .slice(0, limit)
    .map(({ path, bytes }) => ({ path, bytes }));
}
