import { encodeOffset } from "../protocol/offset.ts";
import { ChanctlError } from "../shared/errors.ts";
import { clip } from "../shared/clip.ts";
import type { Streams, StreamState } from "../broker/streams.ts";
import type { DurableStreamsOptions } from "../transports/durable-streams/options.ts";
import { canonicalizePath } from "../protocol/durable-streams/stream-path.ts";

/** What `GET /_chanctl/streams` answers. */
export interface StreamListing {
  /** Under which path streams are served, on this listener too: `/ds`. */
  readonly path: string;
  readonly streams: readonly ListedStream[];
  /** What to send as `after` for the next page; absent on the last. */
  readonly next?: string;
}

/** A stream as the operator sees it. */
export interface ListedStream {
  /** Its path below the mount, as a URL has it. */
  readonly name: string;
  readonly contentType: string;
  readonly nextOffset: string;
  /** What was written to it, in bytes; what a fork inherits is not counted. */
  readonly bytes: number;
  readonly closed: boolean;
  readonly ttlSecs?: number;
  readonly expiresAt?: string;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

interface ListingOptions {
  readonly streams: Streams;
  readonly durableStreams: DurableStreamsOptions | undefined;
}

/**
 * The raw streams whose names begin with `prefix`, after the name `after`, at most `limit` (0 to 1,000, 100 if it is
 * not given).
 *
 * @throws {ChanctlError} `malformed`; `not_found` where Durable Streams are off.
 */
export function listStreams(
  query: URLSearchParams,
  { streams, durableStreams }: ListingOptions,
): StreamListing {
  if (durableStreams === undefined) {
    const hint = "chanctl dev --ds     or `durableStreams: { enabled: true }` in chanctl.config.ts";
    throw new ChanctlError("not_found", "Durable Streams are off on this server", { hint });
  }
  const { path } = durableStreams;
  const limit = parseLimit(query.get("limit"));
  if (limit === 0) return { path, streams: [] };
  const after = query.get("after");
  const { streams: found, last } = streams.list({
    prefix: toStoredPrefix(query.get("prefix") ?? ""),
    after: after === null ? undefined : `/${after}`,
    limit,
  });
  return { path, streams: found.map(toListed), ...(last === undefined ? {} : { next: last.slice(1) }) };
}

function toStoredPrefix(prefix: string): string {
  if (prefix === "") return "/";
  return prefix.endsWith("/") ? `/${canonicalizePath(prefix.slice(0, -1))}/` : `/${canonicalizePath(prefix)}`;
}

function parseLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (limit <= MAX_LIMIT) return limit;
  throw new ChanctlError("malformed", `\`limit\` must be 0 to ${MAX_LIMIT}, got \`${clip(text)}\``);
}

function toListed({
  path,
  mediaType,
  tailOffset,
  bytes,
  isClosed,
  ttlMs,
  expiresAt,
}: StreamState): ListedStream {
  return {
    name: path.slice(1),
    contentType: mediaType,
    nextOffset: encodeOffset(tailOffset),
    bytes,
    closed: isClosed,
    ...(ttlMs === null ? {} : { ttlSecs: ttlMs / 1_000 }),
    ...(expiresAt === null ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
