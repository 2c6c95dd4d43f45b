import type { Committed, Follower, Log } from "#src/broker/log.ts";
import type { Page, PageRequest, Reader, StoredMessage } from "#src/broker/reader.ts";
import type { StreamInfo } from "#src/broker/stream-info.ts";
import { composeMessage, messageTemplate } from "#src/protocol/message.ts";
import { encodeOffset, isOrigin } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";

/** The one stream of the simulation. */
export const PATH = "chat";

const RETENTION = { replayWindowMs: 0, inactivityTtlMs: 0, maxMessages: 0, maxBytes: 0 };

interface Life {
  readonly incarnation: number;
  readonly bodies: string[];
}

export interface SimulatedLogOptions {
  /** Called before every read: the writer thread runs beside the reader and may commit at any moment. */
  readonly beforeRead: () => void;
  /** How many messages the next page may have. */
  readonly pageLength: () => number;
}

/**
 * One stream in memory, as the store shows it: what is committed can be read at once, and is announced later,
 * when the simulation lets it.
 */
export class SimulatedLog implements Pick<Log, "follow">, Pick<Reader, "stream" | "page"> {
  readonly #options: SimulatedLogOptions;
  readonly #followers = new Set<Follower>();
  readonly #unannounced: Committed[] = [];
  readonly #lives: Life[] = [];
  #nextIncarnation = 1;
  #oldest = 0;
  #unreadable = 0;
  #hasUntold = false;

  constructor(options: SimulatedLogOptions) {
    this.#options = options;
  }

  /** The tail that a reader would find now. */
  get tail(): Offset {
    return {
      incarnation: this.#life?.incarnation ?? 0,
      position: (this.#life?.bodies.length ?? 0) - this.#unreadable,
    };
  }

  /** The position before the oldest message that is still there. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Whether the last messages were never announced and never will be: only another one can bring them to light. */
  get hasUntold(): boolean {
    return this.#hasUntold;
  }

  /** Commits messages as one operation, and returns the announcement, which is due. */
  commit(count: number): Committed {
    this.#unreadable = 0;
    this.#hasUntold = false;
    const { incarnation, bodies } = this.#life ?? this.#beginLife();
    const first = bodies.length;
    const draft = (index: number) => ({ type: "message", dataText: String(first + index) });
    const templates = Array.from({ length: count }, (_, index) =>
      messageTemplate({ channel: PATH, draft: draft(index), from: undefined }),
    );
    for (const template of templates) {
      const id = encodeOffset({ incarnation, position: bodies.length + 1 });
      bodies.push(composeMessage(template, { id, time: 0 }));
    }
    const committed: Committed = {
      operation: { kind: "append", path: PATH, time: 0, templates, retention: RETENTION },
      result: { kind: "appended", incarnation, first, count, time: 0, isRepeat: false },
    };
    this.#unannounced.push(committed);
    return committed;
  }

  /** A fault: followers hear of messages that no reader can find until the next commit. */
  announceEarly(count: number): void {
    this.commit(count);
    this.announce(Number.POSITIVE_INFINITY);
    this.#unreadable = count;
  }

  /** The writer dies after a commit and before it tells of it; the publisher may come again with its key. */
  loseAnnouncement(committed: Committed, { isRepeated }: { isRepeated: boolean }): void {
    const { operation, result } = committed;
    this.#unannounced.splice(this.#unannounced.indexOf(committed), 1);
    this.#hasUntold = !isRepeated;
    if (isRepeated && result.kind === "appended")
      this.#unannounced.push({ operation, result: { ...result, isRepeat: true } });
  }

  trim(position: number): void {
    this.#oldest = Math.max(this.#oldest, Math.min(position, this.tail.position));
  }

  /** Begins a new life, if the stream is as it was when the drop was proposed. */
  drop(proposed: Offset): void {
    const { incarnation, position: tail } = this.tail;
    if (proposed.incarnation !== incarnation || proposed.position !== tail) return;
    const next = this.#beginLife();
    this.#unannounced.push({
      operation: { kind: "drop", path: PATH, incarnation, tail },
      result: { kind: "dropped", incarnation: next.incarnation },
    });
  }

  /** Tells the followers of the next committed operations, as one batch. */
  announce(count: number, { times = 1 }: { times?: number } = {}): void {
    const batch = this.#unannounced.splice(0, count);
    for (let time = 0; time < times; time += 1) {
      if (batch.length > 0) for (const follower of this.#followers) follower.onCommitted(batch);
    }
  }

  /** Tells the followers that something may have been committed of which they were not told. */
  tellUncertain(): void {
    for (const follower of this.#followers) follower.onUncertain?.();
  }

  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  stream(path: string): StreamInfo | undefined {
    this.#options.beforeRead();
    const life = this.#life;
    if (life === undefined) return undefined;
    return {
      id: 1,
      path,
      incarnation: life.incarnation,
      tail: this.tail.position,
      oldest: this.#oldest,
      hasEarlierLife: this.#lives.length > 1,
      bytes: 0,
      replayWindowMs: 0,
      inactivityTtlMs: 0,
      maxMessages: 0,
      maxBytes: 0,
    };
  }

  page(path: string, { after }: PageRequest): Page {
    const stream = this.stream(path);
    if (stream === undefined) return isOrigin(after) ? { kind: "end" } : { kind: "gone" };
    if (after.position === stream.tail && after.incarnation === stream.incarnation) return { kind: "end" };
    if (this.isGone(after)) return { kind: "gone" };
    const messages: StoredMessage[] = [];
    for (let position = after.position + 1; position <= stream.tail; position += 1) {
      if (
        messages.push({ position, json: this.bodyAt({ ...stream, position }) ?? "" }) ===
        this.#options.pageLength()
      )
        break;
    }
    return { kind: "messages", incarnation: stream.incarnation, messages, time: 0 };
  }

  /** Whether a reader at this place has missed something, or is in no place of this life. */
  isGone(after: Offset): boolean {
    if (isOrigin(after)) return this.#lives.length > 1 || this.#oldest > 0;
    const { incarnation, position } = this.tail;
    return after.incarnation !== incarnation || after.position > position || after.position < this.#oldest;
  }

  /** The committed message that ends at a place. */
  bodyAt({ incarnation, position }: Offset): string | undefined {
    return this.#lives.find((life) => life.incarnation === incarnation)?.bodies[position - 1];
  }

  /** The place of the message that comes next for whoever has read up to `after`, in this life or the next. */
  next(after: Offset): Offset | undefined {
    for (const { incarnation, bodies } of this.#lives) {
      if (incarnation < after.incarnation) continue;
      const position = incarnation === after.incarnation ? after.position + 1 : 1;
      const readable = incarnation === this.tail.incarnation ? this.tail.position : bodies.length;
      if (position <= readable) return { incarnation, position };
    }
    return undefined;
  }

  get #life(): Life | undefined {
    return this.#lives.at(-1);
  }

  #beginLife(): Life {
    const life = { incarnation: this.#nextIncarnation++, bodies: [] };
    this.#lives.push(life);
    this.#oldest = 0;
    return life;
  }
}
