import { encodeOffset } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import { encodeBatch } from "./encoding.ts";
import type { Encoding } from "./encoding.ts";
import { cutEntries } from "./entry.ts";
import type { Entry } from "./entry.ts";
import type { Reader } from "./reader.ts";

export interface EncodedPageRequest {
  readonly path: string;
  /** Which life of it is followed: another stream at the same path may have inherited the same beginning. */
  readonly incarnation: number;
  readonly after: Offset;
  readonly encoding: Encoding;
  /** Messages older than this may not be read, in ms since 1970; asked when it is this request's turn. */
  readonly notBefore: () => number;
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** What comes after an offset, as bytes for one write; they are shared and MUST NOT be changed. */
export type EncodedPage =
  | {
      readonly kind: "entries";
      readonly bytes: Buffer;
      /** How far the bytes bring the reader. */
      readonly end: Offset;
      /** What is at the tail and can only be sent with what comes next. */
      readonly leftover?: readonly Entry[];
    }
  | { readonly kind: "end" }
  | { readonly kind: "gone" };

interface KnownPage {
  readonly page: EncodedPage & { readonly kind: "entries" };
  /** When its oldest message was stored, in ms since 1970. */
  readonly time: number;
}

/** Small enough that nobody else waits long for one. */
const PAGE = { maxEntries: 500, maxBytes: 256 * 1_024 };
/** How long pages may be read and written before everybody else has their turn, in ms. */
const SLICE_MS = 2;
/** Pages that are kept for whoever comes next to the same place, and about how long. */
const MAX_KNOWN = 16;
const KNOWN_MS = 100;

/**
 * Reads pages for those who replay, in turn, and once for all who stand at the same place: a thousand clients that
 * come back at once have missed the same messages, and reading them a thousand times in one turn of the event loop
 * would hold up everybody who is live.
 */
export class Pages {
  readonly #reader: Pick<Reader, "page">;
  readonly #waiting: (() => void)[] = [];
  readonly #known = new Map<string, KnownPage>();
  #isRunning = false;

  constructor(reader: Pick<Reader, "page">) {
    this.#reader = reader;
  }

  /**
   * Reads the next page in its turn and gives it to `take`, whose time counts too.
   *
   * @returns What `take` returns; `undefined` if the signal has aborted before its turn: nothing is read then.
   * @throws {ChanctlError} `store_unavailable`.
   */
  read<T>(request: EncodedPageRequest, take: (page: EncodedPage) => T): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        if (request.signal.aborted) return resolve(undefined);
        try {
          resolve(take(this.#page(request)));
        } catch (error) {
          reject(error);
        }
      });
      if (this.#isRunning) return;
      this.#isRunning = true;
      setImmediate(() => this.#run());
    });
  }

  #run(): void {
    const endAt = performance.now() + SLICE_MS;
    do this.#waiting.shift()?.();
    while (this.#waiting.length > 0 && performance.now() < endAt);
    this.#isRunning = this.#waiting.length > 0;
    if (this.#isRunning) setImmediate(() => this.#run());
  }

  #page({ path, incarnation, after, encoding, notBefore }: EncodedPageRequest): EncodedPage {
    const since = notBefore();
    const place = `${encoding.name} ${incarnation} ${encodeOffset(after)} ${path}`;
    const known = this.#known.get(place);
    // A log only grows, so what was read a moment ago still comes next; but not everybody may go back as far.
    if (known !== undefined && known.time >= since) return known.page;
    const page = this.#reader.page(path, { after, notBefore: since, ...PAGE });
    if (page.kind !== "entries") return page;
    const { entries, offsetAt, isTail, isClosed, time } = page;
    const { bytes, position } = encodeBatch(encoding, {
      entries,
      offsetAt,
      isTail,
      isEnd: isTail && isClosed,
    });
    const last = entries.at(-1);
    const isLeftOver = isTail && last !== undefined && position < last.position;
    const leftover = isLeftOver
      ? { leftover: cutEntries(entries, { from: position, to: last.position }) }
      : {};
    const encoded = { kind: "entries", bytes, end: offsetAt(position), ...leftover } as const;
    // At the tail more may come, and then it is no longer true that this was all.
    if (!isTail || "encodeEntry" in encoding) this.#keep(place, { page: encoded, time });
    return encoded;
  }

  #keep(place: string, known: KnownPage): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    if (this.#known.size === 0) setTimeout(() => this.#known.clear(), KNOWN_MS).unref();
    this.#known.set(place, known);
  }
}
