import { encodeControlEvent } from "../../protocol/durable-streams/sse-events.ts";
import { contentKindOf } from "../../protocol/durable-streams/media-type.ts";
import type { ReadQuery } from "../../protocol/durable-streams/read-query.ts";
import { incompleteTailLength, MAX_CHARACTER_BYTES } from "../../protocol/durable-streams/utf8-boundary.ts";
import { compareOffsets, encodeOffset } from "../../protocol/offset.ts";
import type { Offset } from "../../protocol/offset.ts";
import { SSE_CONTENT_TYPE, SSE_KEEPALIVE } from "../../protocol/sse.ts";
import type { Followed } from "../../broker/follow.ts";
import type { Sink } from "../../broker/subscriber.ts";
import { addressOf } from "../access.ts";
import { toContent } from "./body.ts";
import { createEventCursors } from "./event-cursors.ts";
import { assertRoom, lifetimeMs } from "./live-connection.ts";
import { endResponse } from "../end-response.ts";
import { hasLeft } from "../http.ts";
import type { Connection } from "../connections.ts";
import { toOutlet } from "../outlet.ts";
import { SocketSink } from "../socket-sink.ts";
import { startOffset, toStart } from "./read-route.ts";
import type { StreamCall } from "./stream-call.ts";
import { createStreamEvents, encodeClosing, endsWithClosing } from "./stream-events.ts";
import { findStream } from "./stream-target.ts";

const KEEPALIVE_MS = 15_000;

/**
 * `live=sse`: the stream as events, until it is over, the client leaves, or its time is up and the client comes back.
 *
 * @see PROTOCOL.md, section 5.8
 */
export async function serveStreamEvents(call: StreamCall, query: ReadQuery): Promise<void> {
  const { context, target, replayWindowMs } = call;
  assertRoom(call);
  const { state } = findStream(context.broker, target);
  if (state !== undefined) context.broker.streams.use(state);
  const offset = startOffset(call, query.start);
  const start = query.start.kind === "after" ? ({ kind: "after", offset } as const) : toStart(query.start);
  const followed = context.broker.streams.follow({ path: target.path, start, replayWindowMs });
  try {
    await stream(call, { query, followed });
  } finally {
    followed.close();
  }
}

async function stream(
  call: StreamCall,
  { query, followed }: { query: ReadQuery; followed: Followed },
): Promise<void> {
  const { context, target, request, response, subject, options } = call;
  const { mediaType, tail } = findStream(context.broker, target);
  if (hasLeft(response)) return;
  const aborted = new AbortController();
  response.once("close", () => aborted.abort());
  response.on("error", () => aborted.abort());
  response.setHeader("content-type", SSE_CONTENT_TYPE);
  response.setHeader("cache-control", "no-cache, no-transform");
  response.setHeader("x-accel-buffering", "no");
  if (contentKindOf(mediaType) === "bytes") response.setHeader("stream-sse-data-encoding", "base64");
  response.writeHead(200);
  const cursors = createEventCursors({ echoed: query.cursor });
  const events = createStreamEvents({ mediaType, cursor: cursors.next, cursorName: cursors.name });
  const sink = new SocketSink(events, toOutlet(response));
  let isToldClosed = false;
  const telling: Sink = {
    encoding: events,
    get unsentBytes() {
      return sink.unsentBytes;
    },
    write: (bytes) => {
      isToldClosed = endsWithClosing(bytes);
      sink.write(bytes);
    },
    drained: (signal) => sink.drained(signal),
  };
  // Who is at the tail hears so at once: silence could mean anything.
  if (isAtEnd(call, { from: followed.position, tail }) && !isClosedNow(call)) {
    const event = {
      streamNextOffset: encodeOffset(followed.position),
      streamCursor: cursors.next(),
      upToDate: true,
    } as const;
    sink.write(Buffer.from(encodeControlEvent(event)));
  }
  const endsInMs = call.expiresAt === undefined ? undefined : call.expiresAt - Date.now();
  const connection: Connection = {
    channel: target.channel?.channel.name ?? "",
    subject,
    address: addressOf(request),
    isClient: context.audience === "public",
    get lastBeatAt() {
      return sink.lastSentAt;
    },
    unansweredSince: undefined,
    keepaliveIntervalMs: KEEPALIVE_MS,
    endsAt: performance.now() + lifetimeMs({ ttlMs: options.sseTtlMs, endsInMs, random: Math.random() }),
    keepAlive: () => sink.write(Buffer.from(SSE_KEEPALIVE)),
    end: () => aborted.abort(),
    kill: () => response.destroy(),
  };
  context.connections.add(connection, call);
  try {
    const ending = await followed.run(telling, aborted.signal);
    // The close may come with the last data, and is then told with it.
    if (ending === "closed" && !isToldClosed)
      sink.write(Buffer.from(encodeClosing(encodeOffset(followed.position))));
  } finally {
    context.connections.remove(connection);
    endResponse(response);
  }
}

/** Whether there is nothing to send from a place: it is the tail, or only the beginning of a character follows. */
function isAtEnd(
  { context, target, replayWindowMs }: StreamCall,
  { from, tail }: { readonly from: Offset; readonly tail: Offset },
): boolean {
  if (compareOffsets(from, tail) === 0) return true;
  if (tail.position - from.position >= MAX_CHARACTER_BYTES) return false;
  const { mediaType } = findStream(context.broker, target);
  if (contentKindOf(mediaType) !== "text") return false;
  const limits = { maxEntries: MAX_CHARACTER_BYTES, maxBytes: MAX_CHARACTER_BYTES };
  const page = context.broker.streams.page(target.path, {
    after: from,
    replayWindowMs: replayWindowMs(),
    ...limits,
  });
  if (page.kind !== "entries") return false;
  const bytes = toContent(page.entries, mediaType);
  return incompleteTailLength(bytes) === bytes.length;
}

function isClosedNow({ context, target }: StreamCall): boolean {
  return findStream(context.broker, target).isClosed;
}
