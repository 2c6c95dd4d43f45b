import type { Clock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import type { Log } from "./log.ts";
import type { StreamInfo } from "./stream-info.ts";
import type { DeleteOperation } from "./stream-operation.ts";

export interface LifetimesOptions {
  readonly log: Log;
  readonly hub: Hub;
  readonly clock: Clock;
}

/** A use of a stream is written down at most once in this part of its TTL: never a disk write for each read. */
const STORED_PER_TTL = 10;

/**
 * Which streams of Durable Streams have lived their time. Uses are kept in memory and written down now and then;
 * after a restart a TTL counts from the start, so nothing expires early for a use that was not written down.
 *
 * @see PROTOCOL.md, section 5.1, Stream-TTL
 */
export class Lifetimes {
  readonly #options: LifetimesOptions;
  readonly #startedAt: number;
  /** By incarnation, when a stream was last used. */
  readonly #usedAt = new Map<number, number>();
  /** By incarnation, when a use was last written down. */
  readonly #storedAt = new Map<number, number>();

  constructor(options: LifetimesOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Notes that a stream is used: its TTL begins anew. One that is kept for its forks alone has no time any more. */
  use({ incarnation, ttlMs, touchedAt, isDeleted }: StreamInfo): void {
    if (ttlMs === null || isDeleted) return;
    const { clock, log } = this.#options;
    const time = clock.now();
    this.#usedAt.set(incarnation, time);
    const storedAt = Math.max(touchedAt, this.#storedAt.get(incarnation) ?? 0);
    if (time - storedAt < ttlMs / STORED_PER_TTL) return;
    this.#storedAt.set(incarnation, time);
    // A store that does not take it now takes the next: until then memory knows.
    log.propose([{ kind: "touch", incarnation, time }]).catch(() => this.#storedAt.delete(incarnation));
  }

  /** Forgets a stream that is there no longer. */
  forget(incarnation: number): void {
    this.#usedAt.delete(incarnation);
    this.#storedAt.delete(incarnation);
  }

  /** Whether a stream's time is over. One that is followed live is in use. */
  isOver(stream: StreamInfo): boolean {
    const { path, incarnation, ttlMs, touchedAt, expiresAt } = stream;
    const { clock, hub } = this.#options;
    const now = clock.now();
    if (expiresAt !== null) return now >= expiresAt;
    if (ttlMs === null) return false;
    const usedAt = Math.max(touchedAt, this.#usedAt.get(incarnation) ?? this.#startedAt);
    if (now < usedAt + ttlMs) return false;
    if (hub.isFollowed(path)) return false;
    this.forget(incarnation);
    return true;
  }
}

/** What ends a stream whose time is over, unless it has been used meanwhile. */
export function toExpiry({ path, incarnation, touchedAt }: StreamInfo): DeleteOperation {
  return { kind: "delete", path, incarnation, touchedAt };
}
