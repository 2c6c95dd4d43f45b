/**
 * Finds each occurrence of some bytes in a byte stream, with a fixed number of bytes after it.
 *
 * A load generator that parsed every frame and every JSON would be the bottleneck of the run; this costs one
 * native search a find. What it looks for must not occur in anything else that the peer sends.
 */
export class NeedleScanner {
  readonly #needle: Buffer;
  readonly #wholeBytes: number;
  readonly #onFound: (bytes: Buffer, at: number) => void;
  #rest: Buffer = Buffer.alloc(0);

  /** @param onFound gets bytes that hold the needle at `at` and `bytesAfter` bytes after it; valid until it returns. */
  constructor(
    needle: string,
    { bytesAfter, onFound }: { bytesAfter: number; onFound: (bytes: Buffer, at: number) => void },
  ) {
    this.#needle = Buffer.from(needle, "latin1");
    this.#wholeBytes = this.#needle.length + bytesAfter;
    this.#onFound = onFound;
  }

  /** Takes what came next. The chunk may be reused afterwards. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let from = 0;
    let at = bytes.indexOf(this.#needle);
    while (at !== -1 && at + this.#wholeBytes <= bytes.length) {
      this.#onFound(bytes, at);
      from = at + this.#wholeBytes;
      at = bytes.indexOf(this.#needle, from);
    }
    const restFrom = at === -1 ? this.#beginningOfNeedle(bytes, from) : at;
    this.#rest = restFrom === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(restFrom));
  }

  /** Where the needle may have begun at the very end of `bytes`; their length if it has not. */
  #beginningOfNeedle(bytes: Buffer, from: number): number {
    const earliest = Math.max(from, bytes.length - this.#needle.length + 1);
    for (let at = earliest; at < bytes.length; at += 1) {
      if (bytes[at] !== this.#needle[0]) continue;
      if (bytes.compare(this.#needle, 0, bytes.length - at, at) === 0) return at;
    }
    return bytes.length;
  }
}
