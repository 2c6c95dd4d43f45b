import { compareOffsets } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { encodeMessage } from "./encoding.ts";
import type { Encoding } from "./encoding.ts";
import type { StoredMessage } from "./reader.ts";

/** A reader that the live tail is pushed to. */
export interface LiveReader {
  readonly encoding: Encoding;
  /** Where it has read to. */
  readonly position: Offset;
  /** Messages older than this it may not replay, in ms since 1970. */
  readonly notBefore: number;
  /**
   * Takes messages up to `position`, as bytes shared with other readers, which it MUST NOT change.
   *
   * @returns Whether it can take more; if not, it is detached.
   */
  deliver(bytes: Buffer, position: Offset): boolean;
  /**
   * Tells a live reader that it is detached: it was too slow, or the window lacks what comes next. It MUST go back
   * to reading pages.
   */
  detached(): void;
}

/** A message that was just committed. */
export interface CommittedMessage extends StoredMessage {
  /** In ms since 1970. */
  readonly time: number;
}

interface RecentMessage extends CommittedMessage {
  readonly encoded: Partial<Record<Encoding, Buffer>>;
}

/**
 * The live end of one stream: who follows it, and the messages that were committed last.
 *
 * ```
 *   log      ── 1 ── 2 ── 3 ── 4 ── 5 ── 6 ── 7 ── 8
 *                         │ floor               tail│
 *   window                └── 4    5    6    7    8 ┘
 * ```
 *
 * A reader at or after `floor` can be handed over: the window holds all that it lacks.
 */
export class LiveStream {
  readonly path: string;
  readonly #live = new Set<LiveReader>();
  #incarnation: number;
  /** Where the life before ended, if that is known: who has read it to there missed nothing. */
  #endOfLast: Offset | undefined;
  #floor: number;
  #tail: number;
  #recent: RecentMessage[] = [];
  #bytes = 0;
  /** What most readers are about to get: all of those that stand at the same place. */
  #shared: Partial<Record<Encoding, { from: number; tail: number; bytes: Buffer }>> = {};
  readonly #onGrown: () => void;
  /** How many connections hold this stream, live or still reading pages. */
  holders = 0;
  /** What of `bytes` the hub has counted. */
  countedBytes = 0;

  /** @param onGrown is called when a reader that was attached made the window hold more. */
  constructor(path: string, { tail, onGrown }: { tail: Offset; onGrown: () => void }) {
    this.path = path;
    this.#onGrown = onGrown;
    this.#incarnation = tail.incarnation;
    this.#tail = tail.position;
    this.#floor = tail.position;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** What the window holds, every encoding counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds messages that were committed. They leave with the next `flush`. */
  append(incarnation: number, messages: readonly CommittedMessage[]): void {
    if (incarnation > this.#incarnation) this.#beginLife(incarnation);
    for (const { position, time, json } of messages) {
      if (incarnation < this.#incarnation || position <= this.#tail) continue; // known: it was read at the start
      this.skipTo({ incarnation, position: position - 1 });
      this.#recent.push({ position, time, json, encoded: {} });
      this.#bytes += json.length;
      this.#tail = position;
    }
  }

  /**
   * Makes sure that the window does not end before a place that is committed. It does when the writer died after
   * a commit and before it told of it; live readers that lack what was never announced go back to reading pages.
   */
  skipTo({ incarnation, position }: Offset): void {
    if (incarnation > this.#incarnation) this.#beginLife(incarnation);
    if (incarnation < this.#incarnation || position <= this.#tail) return;
    this.flush();
    this.#recent = [];
    this.#bytes = 0;
    this.#floor = position;
    this.#tail = position;
    for (const reader of this.#live) {
      if (this.#positionOf(reader) < position) this.#giveUp(reader);
    }
  }

  /** A life of the stream has ended at this place, and the next begins, empty. */
  endLife(end: Offset, next: number): void {
    this.skipTo(end);
    this.#beginLife(next);
    this.#endOfLast = end;
  }

  #beginLife(incarnation: number): void {
    this.flush();
    this.#incarnation = incarnation;
    this.#endOfLast = undefined;
    this.#floor = 0;
    this.#tail = 0;
    this.#recent = [];
    this.#bytes = 0;
  }

  /**
   * Takes a reader that has read up to the window, and gives it what it lacks.
   *
   * No `await` may enter: commits are announced on this thread, and one that came between the last page and
   * this step would be lost.
   *
   * @returns Whether it is live now; if not, it is too far behind or too slow, or may no longer replay what comes
   *   next, and reads another page.
   */
  attach(reader: LiveReader): boolean {
    if (!this.#covers(reader.position)) return false;
    const next = this.#recent[this.#indexAfter(this.#positionOf(reader))];
    if (next !== undefined && next.time < reader.notBefore) return false;
    const before = this.#bytes;
    const canTakeMore = this.#deliverTo(reader);
    // The next flush counts what was encoded, and lets go of what was joined for this reader.
    if (this.#bytes > before || Object.keys(this.#shared).length > 0) this.#onGrown();
    if (canTakeMore) this.#live.add(reader);
    return canTakeMore;
  }

  /** Lets a reader go. */
  detach(reader: LiveReader): void {
    this.#live.delete(reader);
  }

  /** Writes what is new to every live reader: one buffer for all, one write each. */
  flush(): void {
    for (const reader of this.#live) {
      if (!this.#deliverTo(reader)) this.#giveUp(reader);
    }
    this.#shared = {};
  }

  /** Forgets the oldest messages until the window holds at most `maxBytes`. Only after a flush: a live reader must never be behind the floor. */
  shrink(maxBytes: number): void {
    let dropped = 0;
    while (this.#bytes > maxBytes && dropped < this.#recent.length) {
      const message = this.#recent[dropped];
      if (message === undefined) break;
      this.#bytes -=
        message.json.length + (message.encoded.sse?.length ?? 0) + (message.encoded.ws?.length ?? 0);
      this.#floor = message.position;
      dropped += 1;
    }
    if (dropped > 0) this.#recent = this.#recent.slice(dropped);
  }

  #giveUp(reader: LiveReader): void {
    this.#live.delete(reader);
    reader.detached();
  }

  #deliverTo(reader: LiveReader): boolean {
    const from = this.#positionOf(reader);
    if (from >= this.#tail) return true;
    const bytes = this.#encodeAfter(from, reader.encoding);
    return reader.deliver(bytes, { incarnation: this.#incarnation, position: this.#tail });
  }

  /** Whether the window holds all that comes after a place. */
  #covers(position: Offset): boolean {
    const end = this.#endOfLast;
    const isEndOfLast = end !== undefined && compareOffsets(position, end) === 0;
    const from = isEndOfLast ? { incarnation: this.#incarnation, position: 0 } : position;
    return compareOffsets(from, { incarnation: this.#incarnation, position: this.#floor }) >= 0;
  }

  /** A reader of an earlier life that is live missed nothing of it, and stands before this one's first message. */
  #positionOf({ position }: LiveReader): number {
    if (position.incarnation === this.#incarnation) return position.position;
    return position.incarnation < this.#incarnation ? 0 : Number.POSITIVE_INFINITY;
  }

  #encodeAfter(from: number, encoding: Encoding): Buffer {
    const shared = this.#shared[encoding];
    if (shared?.from === from && shared.tail === this.#tail) return shared.bytes;
    const messages = this.#recent.slice(this.#indexAfter(from));
    const encoded = messages.map((message) => this.#encode(message, encoding));
    const [only] = encoded;
    const bytes = encoded.length === 1 && only !== undefined ? only : Buffer.concat(encoded);
    this.#shared[encoding] = { from, tail: this.#tail, bytes };
    return bytes;
  }

  #indexAfter(position: number): number {
    return Math.max(0, this.#recent.length - (this.#tail - position));
  }

  #encode(message: RecentMessage, encoding: Encoding): Buffer {
    const known = message.encoded[encoding];
    if (known !== undefined) return known;
    const bytes = encodeMessage(encoding, this.#incarnation, message);
    message.encoded[encoding] = bytes;
    this.#bytes += bytes.length;
    return bytes;
  }
}
