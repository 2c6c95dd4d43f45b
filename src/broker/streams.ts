import { isOrigin } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import type { Chunk, ChunkRequest, Chunks } from "./chunks.ts";
import type { Clock } from "./clock.ts";
import { follow } from "./follow.ts";
import type { Followed, FollowContext, SubscribeRequest } from "./follow.ts";
import type { Hub } from "./hub.ts";
import { toExpiry } from "./lifetimes.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Log } from "./log.ts";
import type { Operation, Result } from "./operation.ts";
import type { Page, PageRequest, Reader } from "./reader.ts";
import { resolveStartOffset } from "./start-offset.ts";
import { tailOffsetOf } from "./stream-chain.ts";
import type { StreamInfo } from "./stream-info.ts";
import type {
  Created,
  CreateOperation,
  Deleted,
  DeleteOperation,
  StreamRefused,
  WriteOperation,
  Written,
} from "./stream-operation.ts";

export interface StreamsOptions {
  readonly log: Log;
  readonly reader: Reader;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  readonly reading: FollowContext;
  readonly chunks: Chunks;
}

/** A stream that is there, or that was deleted and is kept for its forks. */
export interface StreamState extends StreamInfo {
  /** The offset after the last entry. */
  readonly tailOffset: Offset;
}

export interface ListRequest {
  /** What the paths begin with, a slash at least: those of raw streams do. */
  readonly prefix: string;
  /** Only paths that sort after this one. @default all */
  readonly after?: string | undefined;
  /** From 1. */
  readonly limit: number;
}

/** A page of a listing. */
export interface StreamList {
  readonly streams: readonly StreamState[];
  /** Where the next page goes on; `undefined` if this is the last. */
  readonly last: string | undefined;
}

/**
 * Streams as Durable Streams has them: raw ones, whose paths begin with a slash, and those of channels.
 *
 * A refusal is a result; only a store in trouble throws (`store_full`, `store_unavailable`).
 */
export class Streams {
  readonly #options: StreamsOptions;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** What is known of a stream; `undefined` if there is none, or its time is over. */
  find(path: string): StreamState | undefined {
    const { reader, lifetimes } = this.#options;
    const stream = reader.stream(path);
    if (stream === undefined || (!stream.isDeleted && lifetimes.isOver(stream))) return undefined;
    return { ...stream, tailOffset: this.#tailOffsetOf(stream) };
  }

  /**
   * Raw streams in the order of their paths, a page at a time; looking at them is no use of them. Those whose time is
   * over are left out, so a page may be shorter than it could be, and is not the last for that.
   */
  list({ prefix, after = "", limit }: ListRequest): StreamList {
    const { reader, lifetimes } = this.#options;
    // Paths are ASCII: nothing that begins with the prefix sorts after this.
    const rows = reader.streams({ from: prefix, after, to: `${prefix}\u{10ffff}`, limit });
    const streams = rows
      .filter((stream) => !lifetimes.isOver(stream))
      .map((stream) => ({ ...stream, tailOffset: this.#tailOffsetOf(stream) }));
    return { streams, last: rows.length < limit ? undefined : rows.at(-1)?.path };
  }

  /** Notes that a stream is read: its TTL begins anew. */
  use(stream: StreamState): void {
    this.#options.lifetimes.use(stream);
  }

  /** Creates a raw stream. One whose time is over makes way in the same commit, and cannot be forked. */
  async create(request: Omit<CreateOperation, "kind" | "time">): Promise<Created | StreamRefused> {
    const { path, fork } = request;
    const result = await this.#propose([
      ...this.#expiryOf(path),
      ...(fork === undefined ? [] : this.#expiryOf(fork.source)),
      { kind: "create", time: this.#options.clock.now(), ...request },
    ]);
    if (result?.kind === "created" || isRefusedStream(result)) return result;
    throw new Error(`a create came to \`${result?.kind}\``);
  }

  /** Appends to a raw stream, closes it, or both. */
  async write(request: Omit<WriteOperation, "kind" | "time">): Promise<Written | StreamRefused> {
    const { clock, lifetimes, reader } = this.#options;
    const stream = reader.stream(request.path);
    if (stream !== undefined && !stream.isDeleted) {
      if (lifetimes.isOver(stream)) return { kind: "refused", reason: "unknown" };
      // Before the commit: a stream must not expire under a write that is on its way.
      lifetimes.use(stream);
    }
    const result = await this.#propose([{ kind: "write", time: clock.now(), ...request }]);
    if (result?.kind === "written" || isRefusedStream(result)) return result;
    throw new Error(`a write came to \`${result?.kind}\``);
  }

  /** Deletes a raw stream; its readers are told that it is over. */
  async delete(path: string): Promise<Deleted | StreamRefused> {
    const result = await this.#propose([{ kind: "delete", path }]);
    if (result?.kind === "deleted") this.#options.lifetimes.forget(result.incarnation);
    if (result?.kind === "deleted" || isRefusedStream(result)) return result;
    throw new Error(`a delete came to \`${result?.kind}\``);
  }

  /**
   * Where a reader begins.
   *
   * @throws {ChanctlError} `replay_window_exceeded`.
   */
  startOffset({ path, start, replayWindowMs }: SubscribeRequest): Offset {
    const { reader, clock } = this.#options;
    return resolveStartOffset(reader, { path, start, now: clock.now(), replayWindowMs: replayWindowMs() });
  }

  /** What comes after an offset now. */
  page(path: string, request: Omit<PageRequest, "notBefore"> & { readonly replayWindowMs: number }): Page {
    const { reader, clock } = this.#options;
    return reader.page(path, { ...request, notBefore: clock.now() - request.replayWindowMs });
  }

  /** The same for an answer that is sent whole: made once for all who stand there, as long as the sockets can take. */
  chunk(request: Omit<ChunkRequest, "notBefore"> & { readonly replayWindowMs: number }): Chunk {
    const { chunks, clock } = this.#options;
    return chunks.read({ ...request, notBefore: clock.now() - request.replayWindowMs });
  }

  /** Counts a chunk that waits for a reader's socket until the result is disposed of, beside what waits for those who follow. */
  holdChunk(bytes: Buffer): Disposable {
    return this.#options.chunks.hold(bytes);
  }

  /** Resolves when the stream may have more than an offset, or is over, or the signal aborts. */
  async waitBeyond(path: string, { offset, signal }: { offset: Offset; signal: AbortSignal }): Promise<void> {
    const { hub, reader } = this.#options;
    const live = hub.enter(path);
    try {
      // What was committed and not yet announced is found by a look after entering, and later news wakes.
      const stream = reader.stream(path);
      // Nobody has published to it yet: only a channel's stream is there before, and its tail is the origin.
      if (stream === undefined && !isOrigin(offset)) return;
      if (stream !== undefined && (stream.isClosed || stream.tail > offset.position)) return;
      await live.waitBeyond(offset, signal);
      const waited = reader.stream(path);
      if (waited !== undefined) this.#options.lifetimes.use(waited);
    } finally {
      hub.leave(live);
    }
  }

  /** Holds a place in a stream for one connection; see `Broker.follow`. A stream that is followed does not expire. */
  follow(request: SubscribeRequest): Followed {
    const { reading, lifetimes, reader } = this.#options;
    const followed = follow(reading, request);
    return {
      get position() {
        return followed.position;
      },
      run: (sink, signal) => followed.run(sink, signal),
      close: () => {
        const stream = reader.stream(request.path);
        if (stream !== undefined) lifetimes.use(stream);
        followed.close();
      },
    };
  }

  #tailOffsetOf(stream: StreamInfo): Offset {
    const { reader } = this.#options;
    return tailOffsetOf(stream, () => reader.chainOf(stream));
  }

  /** What ends a stream whose time is over; nothing for any other. */
  #expiryOf(path: string): DeleteOperation[] {
    const { reader, lifetimes } = this.#options;
    const stream = reader.stream(path);
    return stream !== undefined && !stream.isDeleted && lifetimes.isOver(stream) ? [toExpiry(stream)] : [];
  }

  /** @returns the result of the last operation. */
  async #propose(operations: readonly Operation[]): Promise<Result | undefined> {
    const results = await this.#options.log.propose(operations);
    return results.at(-1);
  }
}

function isRefusedStream(result: Result | undefined): result is StreamRefused {
  return result?.kind === "refused" && result.reason !== "key-reused";
}
