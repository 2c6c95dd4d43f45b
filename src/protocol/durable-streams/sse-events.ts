const LINE_BREAK = /\r\n|\r|\n/;
const BASE64_LINE = 1_024;

/** What a control event says (PROTOCOL.md, section 5.8). */
export interface ControlEvent {
  readonly streamNextOffset: string;
  /** Absent once the stream is closed: nobody comes back. */
  readonly streamCursor?: string;
  readonly upToDate?: true;
  readonly streamClosed?: true;
}

/** Encodes a control event. */
export function encodeControlEvent(event: ControlEvent): string {
  return `event: control\ndata:${JSON.stringify(event)}\n\n`;
}

/**
 * Encodes text as one data event.
 *
 * There is no space after `data:` (clients match on it), and parsers drop one where they find one: a line that begins
 * with a space gets another, for streams of tokens begin with spaces. Each line gets a field of its own, whatever
 * ends it, so that no writer can forge an event (CWE-93).
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function encodeTextEvent(text: string): string {
  const fields = text.split(LINE_BREAK).map((line) => `data:${line.startsWith(" ") ? " " : ""}${line}\n`);
  return `event: data\n${fields.join("")}\n`;
}

/** Encodes messages as one data event: a JSON array, with each message as it was written. */
export function encodeJsonEvent(messages: readonly string[]): string {
  return encodeTextEvent(`[${messages.join(",")}]`);
}

/** Encodes bytes as one data event, in base64 over lines of a bounded length (RFC 4648, section 4). */
export function encodeBinaryEvent(bytes: Buffer): string {
  const base64 = bytes.toString("base64");
  const lines: string[] = [];
  for (let from = 0; from < base64.length; from += BASE64_LINE)
    lines.push(base64.slice(from, from + BASE64_LINE));
  return `event: data\n${lines.map((line) => `data:${line}\n`).join("") || "data:\n"}\n`;
}
