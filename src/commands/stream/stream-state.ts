import type { IncomingHttpHeaders } from "node:http";

import { DEFAULT_MEDIA_TYPE, parseMediaType } from "../../protocol/durable-streams/media-type.ts";
import { requestStream } from "./exchange.ts";
import type { StreamPlace } from "./place.ts";

/** What a server says of a stream (PROTOCOL.md, section 5.5), under the names that `--json` prints. */
export interface StreamState {
  readonly contentType: string;
  /** The tail, or where a read has come to. */
  readonly nextOffset: string;
  readonly closed: boolean;
  readonly ttlSecs?: number;
  readonly expiresAt?: string;
}

/**
 * Asks how a stream is; that is no use of it.
 *
 * @throws {ChanctlError} `stream_unknown`, `stream_deleted`, `cannot_connect` and what else it is refused with.
 */
export async function readStreamState(place: StreamPlace, signal: AbortSignal): Promise<StreamState> {
  return toStreamState((await requestStream(place, { method: "HEAD", signal })).headers);
}

/** Reads the headers of an answer about a stream. */
export function toStreamState(headers: IncomingHttpHeaders): StreamState {
  const ttl = textOf(headers["stream-ttl"]);
  const expiresAt = textOf(headers["stream-expires-at"]);
  return {
    contentType: parseMediaType(headers["content-type"] ?? "") ?? DEFAULT_MEDIA_TYPE,
    nextOffset: textOf(headers["stream-next-offset"]) ?? "",
    closed: textOf(headers["stream-closed"])?.toLowerCase() === "true",
    ...(ttl === undefined ? {} : { ttlSecs: Number(ttl) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}
