import { once } from "node:events";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Committed, Follower, Log } from "./log.ts";
import type { Operation, Result } from "./operation.ts";
import { Reader } from "./reader.ts";
import { StoreLock } from "./store-lock.ts";
import type { StoreHolder } from "./store-lock.ts";
import type { FromWriter, ToWriter } from "./writer-thread.ts";
import type { Outcome, Proposal } from "./writer.ts";

export interface StoreOptions {
  /** Where `channels.sqlite` and its lock are; made if it is not there. */
  readonly folder: string;
  readonly logger: Logger;
  /** Names who has the store, should it be in use. */
  readonly holder?: () => StoreHolder | undefined;
}

interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: ChanctlError) => void;
}

/** What may wait for the writer; beyond it a publisher is told to come back. */
const MAX_WAITING = 100_000;
const MAX_WAITING_BYTES = 64 * 1_024 * 1_024;
const RESTART_WRITER_MS = 1_000;
/** A store in trouble is told of, but not once for every message that it refuses. */
const WARN_EVERY_MS = 10_000;

/**
 * The durable log in this process: SQLite behind a writer thread.
 *
 * Owns the lock, the threads and the connections, and frees them newest first.
 */
export class Store implements Log {
  readonly #file: string;
  readonly #lock: StoreLock;
  readonly #logger: Logger;
  readonly #followers = new Set<Follower>();
  readonly #waiting = new Map<number, Waiting>();
  #waitingBytes = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #outbox: Proposal[] = [];
  #nextId = 1;
  #writer: Worker | undefined;
  /** A writer on its way: it must be waited for before the lock is given up. */
  #starting: Promise<void> | undefined;
  #checkpointer: Worker | undefined;
  #reader: Reader | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {ChanctlError} `store_in_use`, `store_newer`, `store_invalid`. */
  static async open(options: StoreOptions): Promise<Store> {
    makeFolder(options.folder);
    const store = new Store(options);
    try {
      await store.#startWriter();
      store.#reader = new Reader(store.#file);
      store.#checkpointer = startThread("./checkpoint-thread.js", store.#file);
      // It holds nothing that matters: without it the writer checkpoints when the WAL reaches its bound.
      store.#checkpointer.on("error", (cause) => store.#warn("checkpoint-thread-failed", cause));
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor({ folder, logger, holder = () => undefined }: StoreOptions) {
    this.#file = join(folder, "channels.sqlite");
    this.#logger = logger;
    this.#lock = new StoreLock(join(folder, "lock.sqlite"), { holder });
  }

  /** Pages from the store, on this thread. */
  get reader(): Reader {
    if (this.#reader === undefined) throw new Error("the store is not open");
    return this.#reader;
  }

  propose(operations: readonly Operation[]): Promise<readonly Result[]> {
    if (this.#writer === undefined || this.#closing !== undefined) {
      return Promise.reject(unavailable("the store is not open for writing"));
    }
    if (this.#waiting.size >= MAX_WAITING || this.#waitingBytes >= MAX_WAITING_BYTES) {
      return Promise.reject(unavailable("too many writes are waiting for the disk"));
    }
    return new Promise((resolve, reject) => {
      const proposal = { id: this.#nextId++, operations };
      this.#waiting.set(proposal.id, { proposal, resolve, reject });
      this.#waitingBytes += sizeOf(proposal);
      // One message a turn of the event loop: whatever all sockets brought in it goes to the writer together.
      if (this.#outbox.push(proposal) === 1) setImmediate(() => this.#post());
    });
  }

  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #post(): void {
    const proposals = this.#outbox;
    this.#outbox = [];
    if (this.#writer === undefined) this.#failAll("the writer thread has stopped");
    else this.#writer.postMessage(proposals satisfies ToWriter);
  }

  #startWriter(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const writer = startThread("./writer-thread.js", this.#file);
    const [message]: FromWriter[] = await once(writer, "message");
    if (message?.kind === "failed") {
      await writer.terminate();
      throw new ChanctlError(
        message.code,
        message.message,
        message.hint === undefined ? {} : { hint: message.hint },
      );
    }
    writer.on("message", (next: FromWriter) => {
      if (next.kind === "committed") this.#onCommitted(next.outcomes);
    });
    writer.on("error", (cause) => this.#warn("writer-thread-failed", cause));
    writer.on("exit", () => this.#onWriterExit());
    this.#writer = writer;
  }

  /** Followers first: when a publisher hears that its message is stored, every live subscriber has been offered it. */
  #onCommitted(outcomes: readonly Outcome[]): void {
    const batch: Committed[] = [];
    for (const outcome of outcomes) {
      if (!("results" in outcome)) continue;
      const operations = this.#waiting.get(outcome.id)?.proposal.operations ?? [];
      for (const [index, operation] of operations.entries()) {
        const result = outcome.results[index];
        if (result !== undefined) batch.push({ operation, result });
      }
    }
    for (const follower of this.#followers) follower.onCommitted(batch);
    const failure = outcomes.find((outcome) => "error" in outcome);
    if (failure !== undefined) this.#onFailure(failure.error.message);
    for (const outcome of outcomes) {
      const waiting = this.#take(outcome.id);
      if ("results" in outcome) waiting?.resolve(outcome.results);
      else
        waiting?.reject(new ChanctlError(outcome.error.code, outcome.error.message, { retryAfterSecs: 1 }));
    }
  }

  #onFailure(message: string): void {
    this.#tellUncertain();
    const now = performance.now();
    if (now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    this.#logger({
      level: "error",
      event: "store-failed",
      message: `the store does not take writes: ${message}`,
      fields: { file: this.#file },
    });
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    this.#waitingBytes -= sizeOf(waiting.proposal);
    return waiting;
  }

  #tellUncertain(): void {
    try {
      for (const follower of this.#followers) follower.onUncertain?.();
    } catch (cause) {
      // The store cannot be read now. The next append shows a live reader the hole.
      this.#warn("store-unreadable", cause);
    }
  }

  #onWriterExit(): void {
    this.#writer = undefined;
    this.#failAll("the writer thread has stopped");
    if (this.#closing !== undefined) return;
    this.#restart = setTimeout(() => {
      this.#startWriter().then(
        () => this.#tellUncertain(),
        (cause: unknown) => {
          this.#warn("writer-thread-failed", cause);
          this.#onWriterExit();
        },
      );
    }, RESTART_WRITER_MS);
  }

  #failAll(reason: string): void {
    this.#outbox = [];
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(unavailable(reason));
  }

  #warn(event: string, cause: unknown): void {
    this.#logger({ level: "error", event, message: `the store's thread failed: ${messageOf(cause)}` });
  }

  /** Commits what was proposed, then frees everything. A second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart);
    if (this.#outbox.length > 0) this.#post();
    await this.#starting?.catch(() => {}); // told where it was started
    await stopThread(this.#checkpointer);
    // The last connection to close moves the WAL into the file and removes it, and only a writer can.
    this.#reader?.close();
    await stopThread(this.#writer);
    this.#lock.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** `.js`: threads load the compiled file, there is no other way on Node 20. */
function startThread(path: `./${string}.js`, file: string): Worker {
  return new Worker(new URL(path, import.meta.url), { workerData: { file } });
}

async function stopThread(thread: Worker | undefined): Promise<void> {
  if (thread === undefined || thread.threadId === -1) return;
  const exited = once(thread, "exit");
  thread.postMessage("close" satisfies ToWriter);
  await exited;
}

function unavailable(message: string): ChanctlError {
  return new ChanctlError("store_unavailable", message, { retryAfterSecs: 1 });
}

/** What a proposal takes while it waits, about. */
function sizeOf({ operations }: Proposal): number {
  let size = 0;
  for (const operation of operations) {
    if (operation.kind === "append") for (const template of operation.templates) size += template.length;
    if (operation.kind === "create" || operation.kind === "write")
      for (const body of operation.bodies) size += body.length;
  }
  return size;
}

/** @throws {ChanctlError} `store_invalid`. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    // Also where somebody else made it: what people say to each other is for the owner's eyes (CWE-732).
    chmodSync(folder, 0o700);
  } catch (cause) {
    throw new ChanctlError("store_invalid", `the folder ${folder} cannot be made: ${messageOf(cause)}`, {
      cause,
      hint: "the store is kept there: make the folder above it writable, or move what is in its place",
    });
  }
}
