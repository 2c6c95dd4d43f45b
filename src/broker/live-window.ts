import type { Offset } from "../protocol/offset.ts";
import type { EntryEncoding } from "./encoding.ts";
import { bytesOf, byteLengthOf, cutEntries } from "./entry.ts";
import type { Entry } from "./entry.ts";

/** An entry that was just committed. */
export interface CommittedEntry extends Entry {
  /** The position before it. */
  readonly start: number;
  /** In ms since 1970. */
  readonly time: number;
}

/** An entry of a window. */
export interface RecentEntry extends CommittedEntry {
  /** By the encoding's name; only once somebody has asked for one. */
  encoded?: Map<string, Buffer>;
}

/**
 * About what an entry takes beside its body, in bytes, and each of its encodings beside theirs. A message may be one
 * byte, and a request may bring millions of them (CWE-770).
 */
const OVERHEAD_BYTES = 300;

/** What was committed last to a stream: without a hole, everything from its floor on. */
export class LiveWindow {
  #floor: number;
  #recent: RecentEntry[] = [];
  #bytes = 0;

  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Who stands here or later finds all that comes next. */
  get floor(): number {
    return this.#floor;
  }

  /** What it takes of memory, about: every entry and every encoding counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds what comes next. Returns what it takes, in bytes. */
  push(entry: RecentEntry): number {
    const size = sizeOf(entry);
    this.#recent.push(entry);
    this.#bytes += size;
    return size;
  }

  /** Forgets everything, and begins again, empty, at a place. */
  clear(floor: number): void {
    this.#recent = [];
    this.#bytes = 0;
    this.#floor = floor;
  }

  /**
   * Takes back what lies between a place and the floor from a page that reaches the floor.
   *
   * @returns Whether there was anything to take.
   */
  hold(entries: readonly Entry[], from: number): boolean {
    const floor = this.#floor;
    if (from >= floor || (entries.at(-1)?.position ?? 0) < floor) return false;
    const body = Buffer.concat(cutEntries(entries, { from, to: floor }).map(bytesOf));
    // It was read just now, so it is not too old for anybody.
    const held = { start: from, position: floor, time: Number.POSITIVE_INFINITY, body };
    this.#recent.unshift(held);
    this.#bytes += sizeOf(held);
    this.#floor = from;
    return true;
  }

  /** Forgets the oldest entries until it takes at most `maxBytes`, but nothing after `kept`. */
  shrink(maxBytes: number, kept: number): void {
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

  /** The first entry that ends after a place. */
  firstAfter(position: number): RecentEntry | undefined {
    return this.#recent[this.#indexAfter(position)];
  }

  /** All that comes after a place, which may be inside of an entry. */
  after(from: number): RecentEntry[] {
    const entries = this.#recent.slice(this.#indexAfter(from));
    const [first] = entries;
    if (first !== undefined && first.start < from) entries[0] = cutStart(first, from);
    return entries;
  }

  /** An entry of it as bytes, which are kept for the next who asks. */
  encode(
    encoding: EntryEncoding,
    { entry, offset }: { readonly entry: RecentEntry; readonly offset: Offset },
  ): Buffer {
    const known = entry.encoded?.get(encoding.name);
    if (known !== undefined) return known;
    const bytes = encoding.encodeEntry(entry, offset);
    entry.encoded ??= new Map();
    entry.encoded.set(encoding.name, bytes);
    this.#bytes += OVERHEAD_BYTES + bytes.length;
    return bytes;
  }

  /** A binary search, for a row of bytes may be of any length. */
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
}

/**
 * Takes entries that a window of this size can hold, and what they take, in bytes; `undefined` if they are more: the
 * rest is not even looked at.
 */
export function takeFitting(
  committed: Iterable<CommittedEntry>,
  maxBytes: number,
): { entries: RecentEntry[]; bytes: number } | undefined {
  const entries: RecentEntry[] = [];
  let bytes = 0;
  for (const entry of committed) {
    bytes += sizeOf(entry);
    if (bytes > maxBytes) return undefined;
    entries.push(entry);
  }
  return { entries, bytes };
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
