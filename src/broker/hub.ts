import { composeMessage } from "../protocol/message.ts";
import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import { encodeOffset } from "../protocol/offset.ts";
import { byteLengthOf } from "./entry.ts";
import { LiveStream } from "./live-stream.ts";
import type { CommittedEntry } from "./live-window.ts";
import type { Committed, Log } from "./log.ts";
import type { AppendOperation, Appended } from "./operation.ts";
import type { Reader } from "./reader.ts";
import type { StreamInfo } from "./stream-info.ts";
import type { WriteOperation, Written } from "./stream-operation.ts";
import type { WakeEvent } from "./subscription-operation.ts";

const MAX_WINDOW_BYTES = 1_024 * 1_024;
const MAX_WINDOWS_BYTES = 64 * MAX_WINDOW_BYTES;

export interface HubOptions {
  readonly log: Pick<Log, "follow">;
  readonly reader: Pick<Reader, "stream" | "chainOf">;
  /** What the window of one stream may take of memory, about: every entry and encoding counted. @default 1 MiB */
  readonly maxWindowBytes?: number;
  /** What all windows together may take. @default 64 MiB */
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
  readonly #reader: Pick<Reader, "stream" | "chainOf">;
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
    this.#changed.delete(stream);
    // One that was deleted is followed no longer, and there may be another at its path.
    if (this.#streams.get(stream.path) !== stream) return;
    this.#streams.delete(stream.path);
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
    const stream: LiveStream = new LiveStream(path, {
      incarnation: info?.incarnation ?? 0,
      tail: info?.tail ?? 0,
      inherited: info === undefined || info.parent === null ? [] : this.#reader.chainOf(info).slice(0, -1),
      isClosed: info?.isClosed ?? false,
      maxBytes: this.#maxWindowBytes,
      onGrown: () => this.#noteChanged(stream),
    });
    this.#streams.set(path, stream);
    return stream;
  }

  #onCommitted(batch: readonly Committed[]): void {
    for (const committed of batch) {
      const { operation, result } = committed;
      if (result.kind === "woken" && result.event !== undefined) this.#announceWake(result.event);
      const stream = "path" in operation ? this.#streams.get(operation.path) : undefined;
      if (stream !== undefined) this.#announce(stream, committed);
    }
  }

  #announce(stream: LiveStream, { operation, result }: Committed): void {
    if (operation.kind === "append" && result.kind === "appended") {
      const { incarnation, first, count } = result;
      if (!result.isRepeat) stream.append(incarnation, toMessages(operation, result));
      // A repeat stores nothing, but the first time may have been committed by a writer that died untold; and what is
      // too much for a window is read from the log.
      stream.skipTo({ incarnation, position: first + count });
    } else if (operation.kind === "write" && result.kind === "written") {
      const { incarnation, tail, isClosed } = result;
      if (!result.isRepeat) stream.append(incarnation, toEntries(operation, result));
      // What was committed untold before a repeat, or before a close that adds nothing, comes to light here; what is
      // too much for a window is read from the log.
      stream.skipTo({ incarnation, position: tail.position });
      if (isClosed) stream.end("closed");
    } else if (operation.kind === "drop" && result.kind === "dropped") {
      const { incarnation, tail } = operation;
      stream.endLife({ incarnation, position: tail }, result.incarnation);
    } else if (operation.kind === "delete" && result.kind === "deleted") {
      // Whoever entered after the commit and before this found no stream, or the next one at its path.
      if (result.incarnation >= stream.incarnation) this.#end(stream);
      return;
    } else return;
    this.#noteChanged(stream);
  }

  /** A wake is stored by the operation that wakes, not by an append. */
  #announceWake({ path, incarnation, first, body, time }: WakeEvent): void {
    const stream = this.#streams.get(path);
    if (stream === undefined) return;
    stream.append(incarnation, [{ start: first, position: first + 1, time, body }]);
    stream.skipTo({ incarnation, position: first + 1 });
    this.#noteChanged(stream);
  }

  /** The stream is there no longer. */
  #end(stream: LiveStream): void {
    this.#streams.delete(stream.path);
    this.#changed.delete(stream);
    this.#windowBytes -= stream.countedBytes;
    stream.countedBytes = 0;
    stream.end("deleted");
  }

  /** A writer may have died between a commit and the word of it: a quiet stream would never show it. */
  #resync(): void {
    for (const stream of this.#streams.values()) {
      const info = this.#reader.stream(stream.path);
      if (isOver(stream, info)) {
        this.#end(stream);
        continue;
      }
      if (info === undefined) continue;
      stream.skipTo({ incarnation: info.incarnation, position: info.tail });
      if (info.isClosed) stream.end("closed");
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

/** Whether a stream was deleted; another one may be at its path, where a channel's would only begin another life. */
function isOver({ incarnation }: LiveStream, info: StreamInfo | undefined): boolean {
  if (incarnation === 0) return false;
  if (info === undefined || info.isDeleted) return true;
  return info.incarnation !== incarnation && !info.hasEarlierLife;
}

/**
 * What `apply` stored, made again from the operation: the bodies need not travel back from the writer thread. One by
 * one, for a window takes no more than it can hold.
 */
function* toMessages(
  { templates }: AppendOperation,
  { incarnation, first, time }: Appended,
): Generator<CommittedEntry> {
  let start = first;
  for (const template of templates) {
    const position = start + 1;
    const id = encodeOffset({ incarnation, position });
    yield { start, position, time, body: composeMessage(template, { id, time }) };
    start = position;
  }
}

/** The same of a stream of Durable Streams. */
function* toEntries(
  { bodies, mediaType, time }: WriteOperation,
  { first }: Written,
): Generator<CommittedEntry> {
  let position = first;
  for (const body of bodies) {
    const start = position;
    position += mediaType === JSON_MEDIA_TYPE ? 1 : byteLengthOf({ position, body });
    yield { start, position, time, body };
  }
}
