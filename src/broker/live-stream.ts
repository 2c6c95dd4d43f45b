import { compareOffsets } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { encodeBatch } from "./encoding.ts";
import type { Encoded, Encoding, EntryEncoding } from "./encoding.ts";
import { bytesOf, byteLengthOf, cutEntries } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { offsetAt } from "./stream-chain.ts";
import type { Segment } from "./stream-chain.ts";

/** A reader that the live tail is pushed to. */
export interface LiveReader {
  readonly encoding: Encoding;
  /** Where it has read to. */
  readonly position: Offset;
  /** Entries older than this it may not replay, in ms since 1970. */
  readonly notBefore: number;
  /**
   * Takes entries up to `position`, as bytes shared with other readers, which it MUST NOT change.
   *
   * @returns Whether it can take more; if not, it is detached.
   */
  deliver(bytes: Buffer, position: Offset): boolean;
  /**
   * Tells a live reader that it is detached: it was too slow, the window lacks what comes next, or the stream is over.
   * It MUST look at `ending`, and go back to reading pages.
   */
  detached(): void;
}

/** An entry that was just committed. */
export interface CommittedEntry extends Entry {
  /** The position before it. */
  readonly start: number;
  /** In ms since 1970. */
  readonly time: number;
}

interface RecentEntry extends CommittedEntry {
  /** By the encoding's name; only once somebody has asked for one. */
  encoded?: Map<string, Buffer>;
}

/**
 * About what an entry takes beside its body, in bytes, and each of its encodings beside theirs. A message may be one
 * byte, and a request may bring millions of them (CWE-770).
 */
const OVERHEAD_BYTES = 300;

/** Why nothing will ever follow: somebody closed the stream, or it is there no longer. */
export type StreamEnding = "closed" | "deleted";

/** What the store says of a stream when somebody begins to follow it. */
export interface LiveStart {
  /** 0 where nothing was ever written. */
  readonly incarnation: number;
  readonly tail: number;
  /** The lives that it inherits from as a fork: readers may stand there, and positions count on across them. */
  readonly inherited: readonly Segment[];
  readonly isClosed: boolean;
  /** What the window may hold, and what is taken from one flush to the next. */
  readonly maxBytes: number;
  /** Is called when a reader that was attached made the window hold more. */
  readonly onGrown: () => void;
}

/**
 * The live end of one stream: who follows it, and what was committed last.
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
  readonly #waiting = new Set<() => void>();
  #incarnation: number;
  #inherited: readonly Segment[];
  /** Where the life before ended, if that is known: who has read it to there missed nothing. */
  #endOfLast: Offset | undefined;
  #floor: number;
  #tail: number;
  #ending: StreamEnding | undefined;
  #recent: RecentEntry[] = [];
  #bytes = 0;
  /** What of it was taken since the last flush. */
  #unflushedBytes = 0;
  /** What most readers are about to get: all of those that stand at the same place. */
  readonly #shared = new Map<string, Encoded & { readonly from: number; readonly tail: number }>();
  readonly #onGrown: () => void;
  readonly #maxBytes: number;
  /** How many connections hold this stream, live or still reading pages. */
  holders = 0;
  /** What of `bytes` the hub has counted. */
  countedBytes = 0;

  constructor(path: string, { incarnation, tail, inherited, isClosed, maxBytes, onGrown }: LiveStart) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#onGrown = onGrown;
    this.#incarnation = incarnation;
    this.#inherited = inherited;
    this.#tail = tail;
    this.#floor = tail;
    this.#ending = isClosed ? "closed" : undefined;
  }

  /** Which life of the stream it is at; 0 where nothing was ever written. */
  get incarnation(): number {
    return this.#incarnation;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** What the window takes of memory, about: every entry and every encoding counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Why nothing will follow what a reader at this place has read; `undefined` while something may. */
  endingAt(position: Offset): StreamEnding | undefined {
    const isBehind = this.#positionOf(position) < this.#tail;
    return this.#ending === "closed" && isBehind ? undefined : this.#ending;
  }

  /**
   * Adds entries that were committed together. They leave with the next `flush`.
   *
   * Takes none of what the window could not hold: millions of small messages would be millions of objects, for
   * everybody (CWE-770). The caller MUST call `skipTo` with their end; live readers then read them as pages.
   */
  append(incarnation: number, committed: Iterable<CommittedEntry>): void {
    if (incarnation > this.#incarnation) this.#beginLife(incarnation);
    const fitting = this.#takeFitting(committed);
    if (fitting === undefined) return;
    const { entries, bytes } = fitting;
    if (this.#unflushedBytes + bytes > this.#maxBytes) {
      this.flush();
      this.shrink(this.#maxBytes);
    }
    for (const entry of entries) {
      if (incarnation < this.#incarnation || entry.position <= this.#tail) continue; // known: it was read at the start
      this.skipTo({ incarnation, position: entry.start });
      this.#recent.push(entry);
      this.#bytes += sizeOf(entry);
      this.#unflushedBytes += sizeOf(entry);
      this.#tail = entry.position;
    }
  }

  /** `undefined` if they are more than the window may hold: the rest is not even looked at. */
  #takeFitting(committed: Iterable<CommittedEntry>): { entries: RecentEntry[]; bytes: number } | undefined {
    const entries: RecentEntry[] = [];
    let bytes = 0;
    for (const entry of committed) {
      bytes += sizeOf(entry);
      if (bytes > this.#maxBytes) return undefined;
      entries.push(entry);
    }
    return { entries, bytes };
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
      if (this.#positionOf(reader.position) < position) this.#giveUp(reader);
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
    this.#inherited = [];
    this.#endOfLast = undefined;
    this.#floor = 0;
    this.#tail = 0;
    this.#recent = [];
    this.#bytes = 0;
  }

  /** Nothing will follow what was appended. Live readers get what there still is, and are told. */
  end(ending: StreamEnding): void {
    this.#ending = ending;
    this.flush();
    for (const reader of this.#live) this.#giveUp(reader);
  }

  /** Resolves when the stream may have more than this place, or is over, or the signal aborts. */
  async waitBeyond(position: Offset, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#positionOf(position) >= this.#tail && this.#ending === undefined) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
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
    const next = this.#recent[this.#indexAfter(this.#positionOf(reader.position))];
    if (next !== undefined && next.time < reader.notBefore) return false;
    const before = this.#bytes;
    const canTakeMore = this.#deliverTo(reader);
    // The next flush counts what was encoded, and lets go of what was joined for this reader.
    if (this.#bytes > before || this.#shared.size > 0) this.#onGrown();
    // Nothing will ever tell it of an end that has come before it: it looks again.
    const isLive = canTakeMore && this.#ending === undefined;
    if (isLive) this.#live.add(reader);
    return isLive;
  }

  /** Lets a reader go. */
  detach(reader: LiveReader): void {
    this.#live.delete(reader);
  }

  /**
   * Takes back into the window what a page ended with and no reader can be sent alone: the beginning of a character
   * whose end was not yet written, which may have come in several appends. Does nothing if the window has it, or
   * begins after the page: then there is more to read.
   *
   * @param from where the character begins.
   */
  hold(entries: readonly Entry[], from: number): void {
    const floor = this.#floor;
    if (from >= floor || (entries.at(-1)?.position ?? 0) < floor) return;
    const body = Buffer.concat(cutEntries(entries, { from, to: floor }).map(bytesOf));
    // It was read just now, so it is not too old for anybody.
    const time = Number.POSITIVE_INFINITY;
    const held = { start: from, position: floor, time, body };
    this.#recent.unshift(held);
    this.#bytes += sizeOf(held);
    this.#floor = from;
    this.#onGrown();
  }

  /** Writes what is new to every live reader: one buffer for all, one write each. */
  flush(): void {
    for (const reader of this.#live) {
      if (!this.#deliverTo(reader)) this.#giveUp(reader);
    }
    this.#shared.clear();
    this.#unflushedBytes = 0;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Forgets the oldest entries until the window holds at most `maxBytes`. Only after a flush: a live reader must never
   * be behind the floor. What live readers wait for the rest of, at most three bytes of a character, stays: they would
   * come back with it at once, and so for ever.
   */
  shrink(maxBytes: number): void {
    if (this.#bytes <= maxBytes) return;
    const kept = this.#leastPosition();
    let dropped = 0;
    for (const entry of this.#recent) {
      if (this.#bytes <= maxBytes || entry.position > kept) break;
      this.#bytes -= sizeOf(entry);
      this.#floor = entry.position;
      dropped += 1;
    }
    this.#recent = this.#recent.slice(dropped);
    const [first] = this.#recent;
    if (first === undefined || this.#bytes <= maxBytes || first.start >= kept) return;
    const rest = keepFrom(first, kept);
    this.#bytes += sizeOf(rest) - sizeOf(first);
    this.#recent[0] = rest;
    this.#floor = kept;
  }

  /** Where the live reader stands that has read the least: at the tail, but for the beginning of a character. */
  #leastPosition(): number {
    let least = this.#tail;
    for (const { position } of this.#live) least = Math.min(least, this.#positionOf(position));
    return least;
  }

  #giveUp(reader: LiveReader): void {
    this.#live.delete(reader);
    reader.detached();
  }

  #deliverTo(reader: LiveReader): boolean {
    const from = this.#positionOf(reader.position);
    if (from >= this.#tail) return true;
    const { bytes, position } = this.#encodeAfter(from, reader.encoding);
    if (position <= from) return true;
    return reader.deliver(bytes, this.#offsetAt(position));
  }

  #offsetAt(position: number): Offset {
    const isInherited = position <= (this.#inherited.at(-1)?.to ?? -1);
    return isInherited ? offsetAt(this.#inherited, position) : { incarnation: this.#incarnation, position };
  }

  /** Whether the window holds all that comes after a place. */
  #covers(position: Offset): boolean {
    const end = this.#endOfLast;
    if (end !== undefined && compareOffsets(position, end) === 0) return this.#floor === 0;
    if (position.incarnation < this.#incarnation && this.#inherited.length === 0) return false;
    return position.incarnation > this.#incarnation || position.position >= this.#floor;
  }

  /** A reader of an earlier life that is live missed nothing of it, and stands before this one's first message. */
  #positionOf({ incarnation, position }: Offset): number {
    if (incarnation === this.#incarnation) return position;
    if (incarnation > this.#incarnation) return Number.POSITIVE_INFINITY;
    return this.#inherited.length === 0 ? 0 : position;
  }

  #encodeAfter(from: number, encoding: Encoding): Encoded {
    const { name } = encoding;
    const shared = this.#shared.get(name);
    if (shared?.from === from && shared.tail === this.#tail) return shared;
    const entries = this.#recent.slice(this.#indexAfter(from));
    const [first] = entries;
    if (first !== undefined && first.start < from) entries[0] = cutStart(first, from);
    const batch = {
      entries,
      offsetAt: (position: number) => this.#offsetAt(position),
      isTail: true,
      isEnd: this.#ending === "closed",
    };
    const encoded = encodeBatch(encoding, batch, (each, entry) => this.#encode(each, entry));
    this.#shared.set(name, { ...encoded, from, tail: this.#tail });
    return encoded;
  }

  /** The index of the first entry that ends after a place: a binary search, for a row of bytes may be of any length. */
  #indexAfter(position: number): number {
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#recent[middle]?.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #encode(encoding: EntryEncoding, entry: RecentEntry): Buffer {
    const known = entry.encoded?.get(encoding.name);
    if (known !== undefined) return known;
    const bytes = encoding.encodeEntry(entry, this.#offsetAt(entry.position));
    entry.encoded ??= new Map();
    entry.encoded.set(encoding.name, bytes);
    this.#bytes += OVERHEAD_BYTES + bytes.length;
    return bytes;
  }
}

/** What an entry takes of the window, every encoding counted. */
function sizeOf(entry: RecentEntry): number {
  let size = OVERHEAD_BYTES + byteLengthOf(entry);
  for (const bytes of entry.encoded?.values() ?? []) size += OVERHEAD_BYTES + bytes.length;
  return size;
}

/** The same as `cutStart`, as bytes of its own: a view would keep all of the row in memory. */
function keepFrom(entry: RecentEntry, from: number): RecentEntry {
  const cut = cutStart(entry, from);
  return { ...cut, body: Buffer.from(bytesOf(cut)) };
}

/** What of a row of bytes lies after a place inside it. */
function cutStart(entry: RecentEntry, from: number): RecentEntry {
  const { position, time } = entry;
  const body = bytesOf(entry).subarray(byteLengthOf(entry) - (position - from));
  return { start: from, position, time, body };
}
