import { encodeOffset } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import type { BatchEncoding } from "./encoding.ts";
import type { Reader } from "./reader.ts";
import type { UnsentBudget } from "./unsent-budget.ts";

export interface ChunkRequest {
  readonly path: string;
  /** The stream as the caller has just looked at it: its life, and where it ends. */
  readonly incarnation: number;
  readonly tail: Offset;
  readonly after: Offset;
  /** Makes the content; one name is one kind of content. */
  readonly encoding: BatchEncoding;
  /** Entries older than this may not be read, in ms since 1970. */
  readonly notBefore: number;
}

/** What comes after an offset, as the content of one answer; it is shared and MUST NOT be changed. */
export type Chunk =
  | {
      readonly kind: "content";
      readonly bytes: Buffer;
      /** How far it brings the reader. */
      readonly end: Offset;
      /** Whether nothing comes after it now. */
      readonly isTail: boolean;
    }
  | { readonly kind: "end" }
  | { readonly kind: "gone" };

interface KnownChunk {
  readonly chunk: Chunk & { readonly kind: "content" };
  /** The last position that was read. */
  readonly last: number;
  /** When its oldest entry was stored, in ms since 1970. */
  readonly time: number;
}

interface Held extends Disposable {
  /** How many are sending it. */
  holders: number;
}

interface ChunksOptions {
  readonly reader: Pick<Reader, "page">;
  readonly unsent: Pick<UnsentBudget, "isScarce" | "share">;
}

/** About one chunk of a long read; a JSON message that is longer comes whole. */
const MAX_ENTRIES = 10_000;
const MAX_BYTES = 1_024 * 1_024;
/** The same while more waits for slow sockets than may: each new reader then adds little (CWE-770). */
const SCARCE_BYTES = 32 * 1_024;
/** What is kept for whoever comes next to the same place, in bytes, and about how long. */
const MAX_KNOWN_BYTES = 16 * MAX_BYTES;
const KNOWN_MS = 100;

/**
 * Reads chunks for answers that are sent whole: long-polls and catch-up reads. Each is read and made once for all who
 * stand at the same place: a thousand long-polls that one append wakes would else hold a thousand copies of it.
 */
export class Chunks {
  readonly #reader: Pick<Reader, "page">;
  readonly #unsent: Pick<UnsentBudget, "isScarce" | "share">;
  readonly #known = new Map<string, KnownChunk>();
  readonly #held = new Map<Buffer, Held>();
  #knownBytes = 0;

  constructor({ reader, unsent }: ChunksOptions) {
    this.#reader = reader;
    this.#unsent = unsent;
  }

  /** @throws {ChanctlError} `store_unavailable`. */
  read({ path, incarnation, tail, after, encoding, notBefore }: ChunkRequest): Chunk {
    const maxBytes = this.#unsent.isScarce() ? SCARCE_BYTES : MAX_BYTES;
    const place = `${encoding.name} ${maxBytes} ${incarnation} ${encodeOffset(after)} ${path}`;
    const known = this.#known.get(place);
    // A log only grows, so what was read a moment ago still comes next; but what was all of it may be all no longer, and
    // not everybody may go back as far.
    if (known !== undefined && known.time >= notBefore) {
      if (!known.chunk.isTail || known.last === tail.position) return known.chunk;
    }
    const page = this.#reader.page(path, { after, notBefore, maxEntries: MAX_ENTRIES, maxBytes });
    if (page.kind !== "entries") return page;
    const { entries, offsetAt, isTail, isClosed, time } = page;
    const batch = { entries, offsetAt, isTail, isEnd: isTail && isClosed };
    const { bytes, position } = encoding.encodeBatch(batch);
    const chunk = { kind: "content", bytes, end: offsetAt(position), isTail } as const;
    this.#keep(place, { chunk, last: entries.at(-1)?.position ?? position, time });
    return chunk;
  }

  /** Counts a chunk's bytes until the result is disposed of: once, however many slow sockets they wait for. */
  hold(bytes: Buffer): Disposable {
    const held =
      this.#held.get(bytes) ??
      Object.assign(
        this.#unsent.share(() => bytes.length),
        { holders: 0 },
      );
    held.holders += 1;
    this.#held.set(bytes, held);
    return {
      [Symbol.dispose]: () => {
        held.holders -= 1;
        if (held.holders > 0) return;
        this.#held.delete(bytes);
        held[Symbol.dispose]();
      },
    };
  }

  #keep(place: string, known: KnownChunk): void {
    const { length } = known.chunk.bytes;
    if (length > MAX_KNOWN_BYTES) return;
    if (this.#knownBytes + length > MAX_KNOWN_BYTES) this.#forget();
    if (this.#known.size === 0) setTimeout(() => this.#forget(), KNOWN_MS).unref();
    this.#knownBytes += length - (this.#known.get(place)?.chunk.bytes.length ?? 0);
    this.#known.set(place, known);
  }

  #forget(): void {
    this.#known.clear();
    this.#knownBytes = 0;
  }
}
