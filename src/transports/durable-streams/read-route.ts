import { encodeEtag, matchesEtag } from "../../protocol/durable-streams/etag.ts";
import { nextCursor } from "../../protocol/durable-streams/cursor.ts";
import type { ReadQuery, ReadStart } from "../../protocol/durable-streams/read-query.ts";
import { encodeOffset } from "../../protocol/offset.ts";
import type { Offset } from "../../protocol/offset.ts";
import type { Start } from "../../protocol/start.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { headerOf, sendAnswer } from "../http.ts";
import type { StreamCall } from "./stream-call.ts";
import { contentEncodingOf, toContent } from "./body.ts";
import { sendLong } from "../send-long.ts";
import { cacheControl, setPosition } from "./stream-headers.ts";
import { findStream } from "./stream-target.ts";
import type { ServedStream } from "./stream-target.ts";

/** A GET of a stream that is answered at once: the next chunk after an offset (PROTOCOL.md, section 5.6). */
export async function serveRead(call: StreamCall, query: ReadQuery): Promise<void> {
  const { broker } = call.context;
  const stream = findStream(broker, call.target);
  if (stream.state !== undefined) broker.streams.use(stream.state);
  if (query.start.kind === "now") return sendEmpty(call);
  await sendChunk(call, { from: startOffset(call, query.start), query });
}

/**
 * Where a read begins.
 *
 * @throws {ChanctlError} `offset_gone` with the earliest offset; `malformed` for one ahead of the tail of a raw stream:
 *   it was never given out.
 */
export function startOffset({ context, target, replayWindowMs }: StreamCall, start: ReadStart): Offset {
  const { tail } = findStream(context.broker, target);
  try {
    return context.broker.streams.startOffset({ path: target.path, start: toStart(start), replayWindowMs });
  } catch (thrown) {
    if (!(thrown instanceof ChanctlError) || thrown.code !== "replay_window_exceeded") throw thrown;
    const isAhead =
      start.kind === "after" &&
      target.channel === undefined &&
      encodeOffset(start.offset) > encodeOffset(tail);
    if (isAhead && start.offset.incarnation >= tail.incarnation && start.offset.position > tail.position)
      throw new ChanctlError("malformed", "`offset` is ahead of the stream's tail", { cause: thrown });
    throw new ChanctlError("offset_gone", "what follows this offset can no longer be read", {
      cause: thrown,
      fields: thrown.fields,
    });
  }
}

/** The same place in the words of channels. */
export function toStart(start: ReadStart): Start {
  switch (start.kind) {
    case "beginning":
      return { kind: "oldest" };
    case "now":
      return { kind: "live" };
    case "after":
      return start;
    default:
      return start satisfies never;
  }
}

/** Sends what comes after an offset, if only that there is nothing. Resolves when it has left, or the client has. */
export async function sendChunk(
  call: StreamCall,
  { from, query }: { from: Offset; query: ReadQuery },
): Promise<void> {
  const { context, target, request, response, isPublic } = call;
  const { streams } = context.broker;
  const stream = findStream(context.broker, target);
  const { mediaType } = stream;
  const { bytes, next, isTail } = readChunk(call, { stream, from });
  const isClosed = isTail && stream.isClosed;
  const etag = encodeEtag({ from, to: next, isClosed });
  setPosition(response, { next, isClosed });
  if (isTail) response.setHeader("stream-up-to-date", "true");
  if (query.live !== undefined && !isClosed) response.setHeader("stream-cursor", cursorOf(query));
  response.setHeader("etag", etag);
  response.setHeader("cache-control", cacheControl({ isPublic, isEmpty: bytes === undefined }));
  if (matchesEtag(headerOf(request, "if-none-match"), etag)) return sendAnswer(response, { status: 304 });
  response.setHeader("content-type", mediaType);
  const body = bytes ?? toContent([], mediaType);
  await sendLong(response, { body, hold: (bytes) => streams.holdChunk(bytes) });
}

interface ReadChunk {
  /** Shared with others; `undefined`: there is nothing. */
  readonly bytes: Buffer | undefined;
  readonly next: Offset;
  readonly isTail: boolean;
}

/** @throws {ChanctlError} `offset_gone`. */
function readChunk(
  { context, target, replayWindowMs }: StreamCall,
  { stream, from }: { stream: ServedStream; from: Offset },
): ReadChunk {
  const { mediaType, tail, state } = stream;
  const chunk = context.broker.streams.chunk({
    path: target.path,
    incarnation: state?.incarnation ?? 0,
    tail,
    after: from,
    encoding: contentEncodingOf(mediaType),
    replayWindowMs: replayWindowMs(),
  });
  if (chunk.kind === "gone")
    throw new ChanctlError("offset_gone", "what follows this offset can no longer be read");
  if (chunk.kind === "end") return { bytes: undefined, next: from, isTail: true };
  return { bytes: chunk.bytes, next: chunk.end, isTail: chunk.isTail };
}

/** `offset=now`: where the stream is, and nothing of it. */
function sendEmpty({ context, target, response }: StreamCall): void {
  const { mediaType, tail, isClosed } = findStream(context.broker, target);
  setPosition(response, { next: tail, isClosed });
  response.setHeader("stream-up-to-date", "true");
  const headers = { "content-type": mediaType, "cache-control": "no-store" };
  sendAnswer(response, { status: 200, headers, body: toContent([], mediaType) });
}

/** The cursor of an answer to this request. */
export function cursorOf({ cursor }: Partial<Pick<ReadQuery, "cursor">>): string {
  return nextCursor({ now: Date.now(), echoed: cursor, random: Math.random() });
}
