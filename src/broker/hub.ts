import { composeMessage } from "../protocol/message.ts";
import { encodeOffset, ORIGIN } from "../protocol/offset.ts";
import { LiveStream } from "./live-stream.ts";
import type { Committed, Log } from "./log.ts";
import type { AppendOperation, Appended } from "./operation.ts";
import type { Reader, StoredMessage } from "./reader.ts";

const MAX_WINDOW_BYTES = 1_024 * 1_024;
const MAX_WINDOWS_BYTES = 64 * MAX_WINDOW_BYTES;

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
  #onLeft: ((path: string) => void) | undefined;
  #flush: NodeJS.Immediate | undefined;
  #windowBytes = 0;

  constructor({ log, reader }: { log: Pick<Log, "follow">; reader: Pick<Reader, "stream"> }) {
    this.#reader = reader;
    this.#unfollow = log.follow((batch) => this.#onCommitted(batch));
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
    this.#windowBytes -= stream.bytes;
    this.#onLeft?.(stream.path);
  }

  /** Calls `listener` when the last subscriber of a stream has left. */
  onLeft(listener: (path: string) => void): void {
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
    const stream = new LiveStream(path, tail);
    this.#streams.set(path, stream);
    return stream;
  }

  #onCommitted(batch: readonly Committed[]): void {
    for (const { operation, result } of batch) {
      if (operation.kind === "append" && result.kind === "appended" && !result.isRepeat) {
        const stream = this.#streams.get(operation.path);
        if (stream !== undefined)
          this.#change(stream, () => stream.append(result.incarnation, toMessages(operation, result)));
      } else if (operation.kind === "drop" && result.kind === "dropped") {
        const stream = this.#streams.get(operation.path);
        if (stream !== undefined) this.#change(stream, () => stream.beginLife(result.incarnation));
      }
    }
    if (this.#changed.size > 0) this.#flush ??= setImmediate(() => this.#flushChanged());
  }

  #flushChanged(): void {
    this.#flush = undefined;
    for (const stream of this.#changed) {
      this.#change(stream, () => {
        stream.flush();
        const room = MAX_WINDOWS_BYTES - (this.#windowBytes - stream.bytes);
        stream.shrink(Math.max(0, Math.min(MAX_WINDOW_BYTES, room)));
      });
    }
    this.#changed.clear();
  }

  /** Changes a stream and keeps the count of all windows' bytes right. */
  #change(stream: LiveStream, change: () => void): void {
    const before = stream.bytes;
    change();
    this.#windowBytes += stream.bytes - before;
    this.#changed.add(stream);
  }
}

/** What `apply` stored, made again from the operation: the bodies need not travel back from the writer thread. */
function toMessages({ templates }: AppendOperation, { incarnation, first, time }: Appended): StoredMessage[] {
  return templates.map((template, index) => {
    const position = first + index + 1;
    return {
      position,
      json: composeMessage(template, { id: encodeOffset({ incarnation, position }), time }),
    };
  });
}
