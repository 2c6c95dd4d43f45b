const LINE_BREAK = /\r\n|\r|\n/;

/** The media type of an event stream. */
export const SSE_CONTENT_TYPE = "text/event-stream";

/**
 * Encodes one message as an event block.
 *
 * Each line of `data` gets its own `data:` field: a bare CR, LF or CRLF ends a field, so a publisher could
 * otherwise forge `id:` or `event:` lines for other subscribers (CWE-93). `id` is ours (an offset) and safe.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function encodeEvent({ id, data }: { id: string; data: string }): string {
  const hasBreak = data.includes("\n") || data.includes("\r");
  const fields = hasBreak ? data.split(LINE_BREAK).join("\ndata: ") : data;
  return `id: ${id}\ndata: ${fields}\n\n`;
}

/** The first block of a connection: when to reconnect, and the position, so that a client that sees no message resumes too. */
export function encodeOpening({ retryMs, id }: { retryMs: number; id: string }): string {
  return `retry: ${retryMs}\nid: ${id}\n\n`;
}

/** The last block of a connection that the server ends. The reason is ours, never a publisher's. */
export function encodeEnding({ retryMs, reason }: { retryMs: number; reason: string }): string {
  return `retry: ${retryMs}\n: ${reason}\n\n`;
}

/** A comment that keeps proxies and clients from giving up on a quiet connection. */
export const SSE_KEEPALIVE = ":\n\n";
