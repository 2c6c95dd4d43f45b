import { setTimeout as delay } from "node:timers/promises";

import type { Answer } from "../../target/call.ts";
import { requestStream } from "../exchange.ts";
import type { StreamPlace } from "../place.ts";
import { toStreamState } from "../stream-state.ts";
import type { ReadContext, StreamChunk } from "./chunk.ts";

interface PollOptions extends ReadContext {
  /** Finds the stream, anew for each attempt: after a restart its server may listen elsewhere. */
  readonly locate: () => Promise<StreamPlace>;
  /** An offset, `-1` for the beginning, `now` for the tail. */
  readonly offset: string;
  /** Whether to wait at the tail for what comes next (PROTOCOL.md, section 5.7), or end there (section 5.6). */
  readonly isLive: boolean;
}

/** A long-poll that came back sooner and empty says that the server does not wait now: it may be going away. */
const MIN_POLL_MS = 250;

/**
 * Reads a stream chunk by chunk, every byte once: a chunk whose answer broke off is asked for again. Ends where a
 * closed stream does.
 *
 * @throws {ChanctlError} `offset_gone`, `stream_unknown`, `cannot_connect` and what else it is refused with.
 */
export async function* pollChunks(options: PollOptions): AsyncGenerator<StreamChunk> {
  const { locate, isLive, retry, signal } = options;
  let { offset } = options;
  let cursor: string | undefined;
  for (let isWaiting = false; ;) {
    const query = {
      offset,
      ...(isWaiting ? { live: "long-poll" } : {}),
      ...(isWaiting && cursor !== undefined ? { cursor } : {}),
    };
    const askedAt = performance.now();
    const answer = await retry<Answer>(async () =>
      requestStream(await locate(), { method: "GET", query, signal }),
    );
    const chunk = toChunk(answer);
    yield chunk;
    if (chunk.isClosed) return;
    const isEmpty = chunk.nextOffset === offset;
    if (isWaiting && isEmpty && performance.now() - askedAt < MIN_POLL_MS)
      await delay(MIN_POLL_MS, undefined, { signal });
    isWaiting = chunk.isUpToDate || isEmpty;
    if (isWaiting && !isLive) return;
    offset = chunk.nextOffset;
    cursor = textOf(answer.headers["stream-cursor"]) ?? cursor;
  }
}

function toChunk({ status, headers, body }: Answer): StreamChunk {
  const { contentType, nextOffset, closed } = toStreamState(headers);
  return {
    contentType,
    body: status === 204 ? Buffer.alloc(0) : body,
    nextOffset,
    isUpToDate: textOf(headers["stream-up-to-date"])?.toLowerCase() === "true",
    isClosed: closed,
  };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}
