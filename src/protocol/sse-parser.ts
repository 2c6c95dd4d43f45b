/** What one push of text completed. */
export type SseItem =
  /** A block with data. `id` is the last event id as of this block; empty if there was none. */
  | { readonly kind: "event"; readonly type: string; readonly data: string; readonly id: string }
  /** A block that set an id and has no data: a position. */
  | { readonly kind: "position"; readonly id: string }
  | { readonly kind: "comment"; readonly text: string }
  /** The delay before a reconnect, in ms. */
  | { readonly kind: "retry"; readonly retryMs: number };

const MAX_BLOCK_CHARACTERS = 64 * 1_024 * 1_024;

/**
 * Reads an event stream as it arrives, cut anywhere: inside a line, between CR and LF.
 * Feed it decoded text; `TextDecoder` has dropped a byte order mark by then.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseParser {
  #rest = "";
  #skipsLineFeed = false;
  #data: string[] = [];
  #dataCharacters = 0;
  #type = "";
  #id = "";
  #hasNewId = false;

  /**
   * Takes the next piece of text.
   *
   * @returns What it completed, in order.
   * @throws {RangeError} if a block grows past 64 Mi characters without an end.
   */
  push(chunk: string): SseItem[] {
    if (chunk === "") return [];
    // A CR at the end of the last chunk has ended its line already; this LF belongs to it.
    const text = this.#rest + (this.#skipsLineFeed ? chunk.replace(/^\n/, "") : chunk);
    this.#skipsLineFeed = chunk.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    const items = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length + this.#dataCharacters > MAX_BLOCK_CHARACTERS) {
      throw new RangeError("an event is too long");
    }
    return items;
  }

  #line(line: string): SseItem | [] {
    if (line === "") return this.#endBlock();
    const [, field, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "") return { kind: "comment", text: value };
    if (field === "data") {
      this.#data.push(value);
      this.#dataCharacters += value.length;
    } else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) {
      this.#id = value;
      this.#hasNewId = true;
    } else if (field === "retry" && /^\d+$/.test(value)) return { kind: "retry", retryMs: Number(value) };
    return [];
  }

  #endBlock(): SseItem | [] {
    const data = this.#data;
    const type = this.#type || "message";
    const hasNewId = this.#hasNewId;
    this.#data = [];
    this.#dataCharacters = 0;
    this.#type = "";
    this.#hasNewId = false;
    if (data.length > 0) return { kind: "event", type, data: data.join("\n"), id: this.#id };
    return hasNewId ? { kind: "position", id: this.#id } : [];
  }
}
