import { compareOffsets } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { encodeBatch } from "./encoding.ts";
import type { Encoded, Encoding } from "./encoding.ts";
import type { Entry } from "./entry.ts";
import { LiveWindow, takeFitting } from "./live-window.ts";
import type { CommittedEntry } from "./live-window.ts";
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
  #tail: number;
  #ending: StreamEnding | undefined;
  readonly #window: LiveWindow;
  /** What of the window was taken since the last flush. */
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
    this.#window = new LiveWindow(tail);
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
    return this.#window.bytes;
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
    const fitting = takeFitting(committed, this.#maxBytes);
    if (fitting === undefined) return;
    const { entries, bytes } = fitting;
    if (this.#unflushedBytes + bytes > this.#maxBytes) {
      this.flush();
      this.shrink(this.#maxBytes);
    }
    for (const entry of entries) {
      if (incarnation < this.#incarnation || entry.position <= this.#tail) continue; // known: it was read at the start
      this.skipTo({ incarnation, position: entry.start });
      this.#unflushedBytes += this.#window.push(entry);
      this.#tail = entry.position;
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
    this.#window.clear(position);
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
    this.#window.clear(0);
    this.#tail = 0;
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
    const next = this.#window.firstAfter(this.#positionOf(reader.position));
    if (next !== undefined && next.time < reader.notBefore) return false;
    const before = this.#window.bytes;
    const canTakeMore = this.#deliverTo(reader);
    // The next flush counts what was encoded, and lets go of what was joined for this reader.
    if (this.#window.bytes > before || this.#shared.size > 0) this.#onGrown();
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
    if (this.#window.hold(entries, from)) this.#onGrown();
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
    if (this.#window.bytes > maxBytes) this.#window.shrink(maxBytes, this.#leastPosition());
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
    if (end !== undefined && compareOffsets(position, end) === 0) return this.#window.floor === 0;
    if (position.incarnation < this.#incarnation && this.#inherited.length === 0) return false;
    return position.incarnation > this.#incarnation || position.position >= this.#window.floor;
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
    const batch = {
      entries: this.#window.after(from),
      offsetAt: (position: number) => this.#offsetAt(position),
      isTail: true,
      isEnd: this.#ending === "closed",
    };
    const encoded = encodeBatch(encoding, batch, (each, entry) =>
      this.#window.encode(each, { entry, offset: this.#offsetAt(entry.position) }),
    );
    this.#shared.set(name, { ...encoded, from, tail: this.#tail });
    return encoded;
  }
}
