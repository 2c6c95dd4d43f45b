import { writeSync } from "node:fs";
import { open, rename } from "node:fs/promises";

import { usingStateFile } from "../../platform/state-file.ts";
import { errorCodeOf } from "../../shared/errors.ts";
import type { LogBuffer } from "./log-buffer.ts";

/** An open file, as much as the log needs of it. */
export interface LogTarget {
  readonly fd: number;
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesWritten: number }>;
  close(): Promise<void>;
}

interface LogFileOptions {
  /** Absolute; one that is there becomes `<path>.1`. */
  readonly path: string;
  readonly buffer: LogBuffer;
  /** The first line of each file. */
  readonly header: string;
  /** Told once of what the file system says; the file is tried again. */
  readonly onProblem: (error: unknown) => void;
  /** A file that has so many bytes becomes `<path>.1`. @default 8 MiB */
  readonly maxBytes?: number;
  /** How long a disk that refused a write is let alone, in ms. @default 10 s */
  readonly retryMs?: number;
  /** Opens a new file. For tests. */
  readonly create?: (path: string) => Promise<LogTarget>;
}

const MAX_BYTES = 8 * 1_024 * 1_024;
/** One write for all that comes meanwhile. */
const FLUSH_INTERVAL_MS = 100;
/** More than this is not made to wait: it would soon not fit the buffer. */
const FLUSH_CHARS = 1_024 * 1_024;
const RETRY_MS = 10_000;
/** A write that takes longer is not waited for at the end. */
const PATIENCE_MS = 1_000;

/**
 * Writes a buffer to a file, off the main thread, and keeps the last file beside it. What the file system refuses is
 * tried again later; nothing here ever rejects or waits for a disk that hangs.
 *
 * Each write says where in the file it goes: what was cut short is written again in the same place, also by a process
 * that ends while a write is under way.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #target: LogTarget | undefined;
  #position = 0;
  /** What was taken from the buffer and is not written yet. */
  #chunk: Buffer = Buffer.alloc(0);
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writingSince: number | undefined;
  #isTold = false;
  #isClosed = false;

  /** Begins the file. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#flush();
  }

  /** The buffer has grown: it is written in a moment. */
  wake(): void {
    if (this.#isClosed || this.#flushing !== undefined) return;
    if (this.#options.buffer.chars >= FLUSH_CHARS && !this.#isTold) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_INTERVAL_MS).unref();
  }

  /** Writes what is left and closes the file; gives up on a disk that does not take it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
    const givenUp = new Promise<void>((resolve) =>
      patience.signal.addEventListener("abort", () => resolve()),
    );
    await Promise.race([this.#closeAll(), givenUp]);
    clearTimeout(timer);
  }

  /** Writes what is left before this returns: for a process that ends now. */
  writeNow(): void {
    if (this.#target === undefined || this.#isHanging()) return;
    this.#takeChunk();
    try {
      while (this.#chunk.length > 0)
        this.#written(writeSync(this.#target.fd, this.#chunk, 0, this.#chunk.length, this.#position));
    } catch {} // the process ends: nobody can be told
  }

  async #closeAll(): Promise<void> {
    await this.#flushing;
    const rest = async (): Promise<void> => {
      await this.#writeAll(); // what was refused before, if there is such
      await this.#writeAll();
    };
    await rest().catch((error: unknown) => this.#tell(error));
    await this.#target?.close().catch(() => {});
    this.#target = undefined;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#writeAll().then(
      () => {
        this.#flushing = undefined;
        if (this.#options.buffer.chars > 0) this.wake();
      },
      (error: unknown) => {
        this.#flushing = undefined;
        this.#tell(error);
        const { retryMs = RETRY_MS } = this.#options;
        if (!this.#isClosed) this.#timer = setTimeout(() => this.#flush(), retryMs).unref();
      },
    );
  }

  #writeAll(): Promise<void> {
    return usingStateFile(this.#options.path, async () => {
      const isFull = this.#position >= this.#maxBytes && this.#chunk.length === 0;
      // A run that ends keeps the file that it has: the next run may have begun one.
      if (!this.#isClosed && (this.#target === undefined || isFull)) await this.#begin();
      const target = this.#target;
      if (target === undefined) return;
      if (this.#chunk.length === 0) this.#takeChunk(); // else it would grow with each time that the disk is full
      while (this.#chunk.length > 0) {
        this.#writingSince = performance.now();
        const { bytesWritten } = await target.write(this.#chunk, 0, this.#chunk.length, this.#position);
        this.#written(bytesWritten);
      }
    }).finally(() => (this.#writingSince = undefined));
  }

  async #begin(): Promise<void> {
    const { path, header, create = createLog } = this.#options;
    await this.#target?.close();
    this.#target = undefined;
    await rename(path, `${path}.1`).catch((error: unknown) => {
      if (errorCodeOf(error) !== "ENOENT") throw error;
    });
    this.#target = await create(path);
    this.#position = 0;
    this.#chunk = Buffer.from(header);
    this.#takeChunk();
  }

  get #maxBytes(): number {
    return this.#options.maxBytes ?? MAX_BYTES;
  }

  #takeChunk(): void {
    const text = this.#options.buffer.take();
    if (text !== "") this.#chunk = Buffer.concat([this.#chunk, Buffer.from(text)]);
  }

  #written(bytes: number): void {
    this.#position += bytes;
    this.#chunk = this.#chunk.subarray(bytes);
  }

  #isHanging(): boolean {
    return this.#writingSince !== undefined && performance.now() - this.#writingSince > PATIENCE_MS;
  }

  #tell(error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onProblem(error);
  }
}

/** App output can hold secrets (CWE-532); a link in its place is not followed (CWE-59). */
function createLog(path: string): Promise<LogTarget> {
  return open(path, "wx", 0o600);
}
