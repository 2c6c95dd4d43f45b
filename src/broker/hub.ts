import { composeMessage } from "../protocol/message.ts";
import { encodeOffset, ORIGIN } from "../protocol/offset.ts";
import { LiveStream } from "./live-stream.ts";
import type { CommittedMessage } from "./live-stream.ts";
import type { Committed, Log } from "./log.ts";
import type { AppendOperation, Appended } from "./operation.ts";
import type { Reader } from "./reader.ts";

const MAX_WINDOW_BYTES = 1_024 * 1_024;
const MAX_WINDOWS_BYTES = 64 * MAX_WINDOW_BYTES;

export interface HubOptions {
  readonly log: Pick<Log, "follow">;
  readonly reader: Pick<Reader, "stream">;
  /** What the window of one stream may hold, every encoding counted. @default 1 MiB */
  readonly maxWindowBytes?: number;
  /** What all windows together may hold. @default 64 MiB */
  readonly maxWindowsBytes?: number;
}

/**
 * The live ends of all streams that somebody follows. It hears of a batch only after its commit.
 *
 * Everything that was committed to a stream within one turn of the event loop leaves together: an idle
 * subscriber gets a message at once, and under load what came in during the last round of writes goes out in
 * one write each.
 */
export class Hub {
  readonly #reader: Pick<Reader, "stream">;
  readonly #streams = new Map<string, LiveStream>();
  readonly #changed = new Set<LiveStream>();
  readonly #unfollow: () => void;
  readonly #maxWindowBytes: number;
  readonly #maxWindowsBytes: number;
  #onLeft: ((path: string) => void) | undefined;
  #flush: NodeJS.Immediate | undefined;
  #windowBytes = 0;

  constructor({
    log,
    reader,
    maxWindowBytes = MAX_WINDOW_BYTES,
    maxWindowsBytes = MAX_WINDOWS_BYTES,
  }: HubOptions) {
    this.#reader = reader;
    this.#maxWindowBytes = maxWindowBytes;
    this.#maxWindowsBytes = maxWindowsBytes;
    this.#unfollow = log.follow({
      onCommitted: (batch) => this.#onCommitted(batch),
      onUncertain: () => this.#resync(),
    });
  }

  /** The live end of a stream, kept until as many `leave`. */
  enter(path: string): LiveStream {
    const stream = this.#streams.get(path) ?? this.#open(path);
    stream.holders += 1;
    return stream;
  }

  leave(stream: LiveStream): void {
    stream.holders -= 1;
    if (stream.holders > 0) return;
    this.#streams.delete(stream.path);
    this.#changed.delete(stream);
    this.#windowBytes -= stream.countedBytes;
    this.#onLeft?.(stream.path);
  }

  /** Calls `listener` when the last subscriber of a stream has left; `undefined` ends that. */
  onLeft(listener: ((path: string) => void) | undefined): void {
    this.#onLeft = listener;
  }

  /** Whether somebody follows the stream. */
  isFollowed(path: string): boolean {
    return this.#streams.has(path);
  }

  /** How many live subscribers the stream has. */
  liveCount(path: string): number {
    return this.#streams.get(path)?.liveCount ?? 0;
  }

  close(): void {
    this.#unfollow();
    clearImmediate(this.#flush);
  }

  /** The reader may be ahead of what was announced; what is announced later and known already is skipped. */
  #open(path: string): LiveStream {
    const info = this.#reader.stream(path);
    const tail = info === undefined ? ORIGIN : { incarnation: info.incarnation, position: info.tail };
    const stream = new LiveStream(path, { tail, onGrown: () => this.#noteChanged(stream) });
    this.#streams.set(path, stream);
    return stream;
  }

  #onCommitted(batch: readonly Committed[]): void {
    for (const { operation, result } of batch) {
      if (operation.kind !== "append" && operation.kind !== "drop") continue;
      const stream = this.#streams.get(operation.path);
      if (stream === undefined) continue;
      if (operation.kind === "append" && result.kind === "appended") {
        const { incarnation, first, count } = result;
        // A repeat stores nothing, but the first time may have been committed by a writer that died untold.
        if (result.isRepeat) stream.skipTo({ incarnation, position: first + count });
        else stream.append(incarnation, toMessages(operation, result));
        this.#noteChanged(stream);
      } else if (operation.kind === "drop" && result.kind === "dropped") {
        const { incarnation, tail } = operation;
        stream.endLife({ incarnation, position: tail }, result.incarnation);
        this.#noteChanged(stream);
      }
    }
  }

  /** A writer may have died between a commit and the word of it: a quiet stream would never show it. */
  #resync(): void {
    for (const stream of this.#streams.values()) {
      const info = this.#reader.stream(stream.path);
      if (info === undefined) continue;
      stream.skipTo({ incarnation: info.incarnation, position: info.tail });
      this.#noteChanged(stream);
    }
  }

  #noteChanged(stream: LiveStream): void {
    this.#changed.add(stream);
    this.#flush ??= setImmediate(() => this.#flushChanged());
  }

  #flushChanged(): void {
    this.#flush = undefined;
    for (const stream of this.#changed) {
      stream.flush();
      const othersBytes = this.#windowBytes - stream.countedBytes;
      const room = Math.max(0, this.#maxWindowsBytes - othersBytes);
      stream.shrink(Math.min(this.#maxWindowBytes, room));
      stream.countedBytes = stream.bytes;
      this.#windowBytes = othersBytes + stream.bytes;
    }
    this.#changed.clear();
  }
}

/** What `apply` stored, made again from the operation: the bodies need not travel back from the writer thread. */
function toMessages(
  { templates }: AppendOperation,
  { incarnation, first, time }: Appended,
): CommittedMessage[] {
  return templates.map((template, index) => {
    const position = first + index + 1;
    return {
      position,
      time,
      json: composeMessage(template, { id: encodeOffset({ incarnation, position }), time }),
    };
  });
}
