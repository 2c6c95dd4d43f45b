import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Committed, Log } from "./log.ts";
import type { Operation, Result } from "./operation.ts";
import { Reader } from "./reader.ts";
import { StoreLock } from "./store-lock.ts";
import type { FromWriter, ToWriter } from "./writer-thread.ts";
import type { Outcome, Proposal } from "./writer.ts";

export interface StoreOptions {
  /** Where `channels.sqlite` and its lock are; made if it is not there. */
  readonly folder: string;
  readonly logger: Logger;
  /** Names who has the store, should it be in use: "pid 812". */
  readonly holder?: () => string | undefined;
}

interface Waiting {
  readonly proposal: Proposal;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: ChanctlError) => void;
}

/** Operations that may wait for the writer; beyond it a publisher is told to come back. */
const MAX_WAITING = 100_000;
const RESTART_WRITER_MS = 1_000;

/**
 * The durable log in this process: SQLite behind a writer thread.
 *
 * Owns the lock, the threads and the connections, and frees them newest first.
 */
export class Store implements Log {
  readonly #file: string;
  readonly #lock: StoreLock;
  readonly #logger: Logger;
  readonly #followers = new Set<(batch: readonly Committed[]) => void>();
  readonly #waiting = new Map<number, Waiting>();
  #outbox: Proposal[] = [];
  #nextId = 1;
  #writer: Worker | undefined;
  #checkpointer: Worker | undefined;
  #reader: Reader | undefined;
  #restart: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {ChanctlError} `store_in_use`, `store_newer`, `store_invalid`. */
  static async open(options: StoreOptions): Promise<Store> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
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
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(unavailable(`${MAX_WAITING} writes are waiting for the disk`));
    }
    return new Promise((resolve, reject) => {
      const proposal = { id: this.#nextId++, operations };
      this.#waiting.set(proposal.id, { proposal, resolve, reject });
      // One message a turn of the event loop: whatever all sockets brought in it goes to the writer together.
      if (this.#outbox.push(proposal) === 1) setImmediate(() => this.#post());
    });
  }

  follow(listener: (batch: readonly Committed[]) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  #post(): void {
    const proposals = this.#outbox;
    this.#outbox = [];
    if (this.#writer === undefined) this.#failAll("the writer thread has stopped");
    else this.#writer.postMessage(proposals satisfies ToWriter);
  }

  async #startWriter(): Promise<void> {
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
    for (const follower of this.#followers) follower(batch);
    for (const outcome of outcomes) {
      const waiting = this.#waiting.get(outcome.id);
      this.#waiting.delete(outcome.id);
      if ("results" in outcome) waiting?.resolve(outcome.results);
      else
        waiting?.reject(new ChanctlError(outcome.error.code, outcome.error.message, { retryAfterSecs: 1 }));
    }
  }

  #onWriterExit(): void {
    this.#writer = undefined;
    this.#failAll("the writer thread has stopped");
    if (this.#closing !== undefined) return;
    this.#restart = setTimeout(() => {
      this.#startWriter().catch((cause: unknown) => {
        this.#warn("writer-thread-failed", cause);
        this.#onWriterExit();
      });
    }, RESTART_WRITER_MS);
  }

  #failAll(reason: string): void {
    this.#outbox = [];
    for (const { reject } of this.#waiting.values()) reject(unavailable(reason));
    this.#waiting.clear();
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
    await stopThread(this.#checkpointer);
    await stopThread(this.#writer);
    this.#reader?.close();
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
