import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const RESERVE_BYTES = 8 * 1_024 * 1_024;
const RETRY_MS = 1_000;

/**
 * A file that only takes up room. When the disk is full SQLite can neither checkpoint nor delete; giving this
 * room back lets trims and a checkpoint run, so that a full disk does not stay full.
 */
export class Reserve {
  readonly #file: string;
  #isFilled = false;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
  }

  get isFilled(): boolean {
    return this.#isFilled;
  }

  /** Takes the room, at most one try a second. Returns whether it is taken. */
  fill(): boolean {
    const now = performance.now();
    if (this.#isFilled || now - this.#triedAt < RETRY_MS) return this.#isFilled;
    this.#triedAt = now;
    this.#isFilled = statSync(this.#file, { throwIfNoEntry: false })?.size === RESERVE_BYTES || this.#write();
    return this.#isFilled;
  }

  #write(): boolean {
    try {
      const descriptor = openSync(this.#file, "w", 0o600);
      try {
        // Real bytes: a sparse file would take up no room.
        if (writeSync(descriptor, Buffer.alloc(RESERVE_BYTES)) < RESERVE_BYTES) throw new Error("disk full");
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      return true;
    } catch {
      rmSync(this.#file, { force: true });
      return false;
    }
  }

  /**
   * Whether so many bytes can be written now, or at the latest once the room is given back: not partly here and partly
   * there, for whoever writes them first meets the full disk first.
   */
  covers(bytes: number): boolean {
    if (bytes <= RESERVE_BYTES) return true;
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bytes <= bavail * bsize;
  }

  /** Gives the room back. */
  release(): void {
    rmSync(this.#file, { force: true });
    this.#isFilled = false;
    this.#triedAt = performance.now();
  }
}
