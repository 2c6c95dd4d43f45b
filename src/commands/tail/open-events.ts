import type { IncomingMessage } from "node:http";

import { SseParser } from "../../protocol/sse-parser.ts";
import type { SseItem } from "../../protocol/sse-parser.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { open } from "../target/call.ts";
import type { Target } from "../target/target.ts";

interface OpenEventsOptions {
  /** `/channels/<name>?<params>`. */
  readonly path: string;
  readonly lastEventId?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Connects to an event stream. A connection that breaks ends the items as one that the server closes.
 *
 * @throws {ChanctlError} `cannot_connect`, or what the server refused it with.
 */
export async function openEvents(
  target: Target,
  { path, lastEventId, signal }: OpenEventsOptions,
): Promise<AsyncGenerator<SseItem>> {
  const resume = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const body = await open(target, { path, headers: { accept: "text/event-stream", ...resume }, signal });
  return readItems(body, signal);
}

async function* readItems(body: IncomingMessage, signal: AbortSignal): AsyncGenerator<SseItem> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      yield* parser.push(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    if (error instanceof RangeError) throw new ChanctlError("too_big", error.message, { cause: error });
    if (signal.aborted) throw error;
  }
}
