import type { ReadQuery } from "../../protocol/durable-streams/read-query.ts";
import { compareOffsets } from "../../protocol/offset.ts";
import { sendAnswer } from "../http.ts";
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
  const { state } = findStream(context.broker, target);
  if (state !== undefined) streams.use(state);
  const from = startOffset(call, query.start);
  const isAtTail = (): boolean => compareOffsets(from, findStream(context.broker, target).tail) >= 0;
  if (isAtTail()) {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(stop, Math.min(options.pollTimeoutMs, msLeft(call)));
    await streams.waitBeyond(target.path, { offset: from, signal: over.signal });
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  if (!isAtTail()) return sendChunk(call, { from, query });
  const { tail, isClosed } = findStream(context.broker, target);
  setPosition(call.response, { next: tail, isClosed });
  call.response.setHeader("stream-up-to-date", "true");
  if (!isClosed) call.response.setHeader("stream-cursor", cursorOf(query));
  sendAnswer(call.response, { status: 204, headers: { "cache-control": "no-store" } });
}

/** A live answer ends when what its caller may do ends. */
function msLeft({ expiresAt }: StreamCall): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, expiresAt - Date.now());
}
