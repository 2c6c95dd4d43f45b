import type { ReadQuery } from "../../protocol/durable-streams/read-query.ts";
import { compareOffsets } from "../../protocol/offset.ts";
import { sendAnswer } from "../http.ts";
import { assertRoom, toPollConnection } from "./live-connection.ts";
import { cursorOf, sendChunk, startOffset } from "./read-route.ts";
import type { StreamCall } from "./stream-call.ts";
import { setPosition } from "./stream-headers.ts";
import { findStream } from "./stream-target.ts";

/**
 * `live=long-poll`: what comes after an offset as soon as there is anything, or 204 when nothing came in time.
 *
 * @see PROTOCOL.md, section 5.7
 */
export async function serveLongPoll(call: StreamCall, query: ReadQuery, signal: AbortSignal): Promise<void> {
  const { context, target, options } = call;
  const { streams } = context.broker;
  assertRoom(call);
  const { state } = findStream(context.broker, target);
  if (state !== undefined) streams.use(state);
  const from = startOffset(call, query.start);
  if (compareOffsets(from, findStream(context.broker, target).tail) >= 0) {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(stop, Math.min(options.pollTimeoutMs, msLeft(call)));
    const connection = toPollConnection(call, stop);
    context.connections.add(connection, { askedAt: performance.now() });
    try {
      await streams.waitBeyond(target.path, { offset: from, signal: over.signal });
    } finally {
      context.connections.remove(connection);
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
  // One look decides: with a second one for the answer, what is committed between would be skipped.
  const { tail, isClosed } = findStream(context.broker, target);
  if (compareOffsets(from, tail) < 0) return sendChunk(call, { from, query });
  setPosition(call.response, { next: tail, isClosed });
  call.response.setHeader("stream-up-to-date", "true");
  if (!isClosed) call.response.setHeader("stream-cursor", cursorOf(query));
  sendAnswer(call.response, { status: 204, headers: { "cache-control": "no-store" } });
}

/** A live answer ends when what its caller may do ends. */
function msLeft({ expiresAt }: StreamCall): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, expiresAt - Date.now());
}
