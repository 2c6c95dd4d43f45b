import type { IncomingMessage } from "node:http";

import { SseParser } from "../../../protocol/sse-parser.ts";
import { ChanctlError } from "../../../shared/errors.ts";
import { open } from "../../target/call.ts";
import { SILENCE_MS, toRequestPath } from "../exchange.ts";
import type { StreamPlace } from "../place.ts";
import type { ReadContext, StreamChunk } from "./chunk.ts";

interface EventOptions extends ReadContext {
  readonly locate: () => Promise<StreamPlace>;
  readonly offset: string;
  /** The stream's media type: an event stream has its own. */
  readonly contentType: string;
}

/**
 * Follows a stream as events (PROTOCOL.md, section 5.8), one connection after the other, until it is closed.
 *
 * @throws {ChanctlError} What a connection is refused with.
 */
export async function* eventChunks(options: EventOptions): AsyncGenerator<StreamChunk> {
  const { locate, contentType, retry, signal } = options;
  let { offset } = options;
  let cursor: string | undefined;
  for (;;) {
    const query = { live: "sse", offset, ...(cursor === undefined ? {} : { cursor }) };
    const headers = { accept: "text/event-stream" };
    // The first event belongs to the attempt: a connection that ends without one has failed.
    const { first, rest } = await retry(async () => {
      const place = await locate();
      const path = toRequestPath(place, query);
      const body = await open(place.target, { path, headers, silenceMs: SILENCE_MS, signal });
      const events = readEvents(body, signal);
      const next = await events.next();
      if (next.done !== true) return { first: next.value, rest: events };
      throw new ChanctlError("cannot_connect", "the event stream ended before its first event");
    });
    try {
      for (let event: ControlledEvent | undefined = first; event !== undefined;) {
        const { control, body } = event;
        offset = control.streamNextOffset;
        cursor = control.streamCursor ?? cursor;
        const { upToDate: isUpToDate, streamClosed: isClosed } = control;
        yield { contentType, body, nextOffset: offset, isUpToDate, isClosed };
        if (isClosed) return;
        const next: IteratorResult<ControlledEvent> = await rest.next();
        event = next.done === true ? undefined : next.value;
      }
    } finally {
      await rest.return(undefined); // frees the connection
    }
  }
}

/** A control event with the data before it: only together do they say what was read. */
interface ControlledEvent {
  readonly control: Control;
  readonly body: Buffer;
}

interface Control {
  readonly streamNextOffset: string;
  readonly streamCursor: string | undefined;
  readonly upToDate: boolean;
  readonly streamClosed: boolean;
}

async function* readEvents(body: IncomingMessage, signal: AbortSignal): AsyncGenerator<ControlledEvent> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const isBase64 = body.headers["stream-sse-data-encoding"] === "base64";
  let data: Buffer[] = [];
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (const item of parser.push(decoder.decode(chunk, { stream: true }))) {
        if (item.kind !== "event") continue;
        if (item.type === "data") data.push(Buffer.from(item.data, isBase64 ? "base64" : "utf8"));
        if (item.type !== "control") continue;
        yield { control: parseControl(item.data), body: Buffer.concat(data) };
        data = [];
      }
    }
  } catch (error) {
    if (signal.aborted || error instanceof ChanctlError) throw error; // what else broke it, the next one heals
  }
}

function parseControl(text: string): Control {
  const value: unknown = JSON.parse(text);
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const { streamNextOffset, streamCursor, upToDate, streamClosed } = fields;
  if (typeof streamNextOffset !== "string")
    throw new ChanctlError("internal", "the server's control event has no `streamNextOffset`");
  return {
    streamNextOffset,
    streamCursor: typeof streamCursor === "string" ? streamCursor : undefined,
    upToDate: upToDate === true,
    streamClosed: streamClosed === true,
  };
}
