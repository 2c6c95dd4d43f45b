import type { LimitLog, WaitingLimit } from "../shared/limit-log.ts";

/** What one subscriber may take of the budget; given back when it is disposed of. */
interface UnsentShare extends Disposable {
  /** Whether what waits for this subscriber's socket now is too much. */
  readonly isOver: () => boolean;
}

interface UnsentLimits {
  readonly maxUnsentBytes: number;
  readonly maxUnsentBytesTotal: number;
}

interface UnsentBudgetOptions {
  /** Is told of each time that somebody is over the budget. */
  readonly onHit: LimitLog;
  /** A clock that never jumps, in ms. */
  readonly now?: () => number;
}

/**
 * A sum over thousands of sockets costs more than a write, so it is made now and then: ten thousand every 250 ms, a
 * few at each write, for until the next one they may take more than is theirs.
 */
const SUM_EVERY_MS_PER_MEMBER = 0.025;

/**
 * How many bytes may wait for slow sockets: for each, and for all together. While all together are over theirs,
 * each is held to an equal part of it, so that the slow give way and the others notice nothing.
 */
export class UnsentBudget {
  readonly #limits: UnsentLimits;
  readonly #now: () => number;
  readonly #onHit: LimitLog;
  readonly #members = new Set<() => number>();
  #isOverTotal = false;
  #summedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: UnsentLimits, { onHit, now = () => performance.now() }: UnsentBudgetOptions) {
    this.#limits = limits;
    this.#onHit = onHit;
    this.#now = now;
  }

  /**
   * Takes part.
   *
   * @param unsentBytes how much waits for the subscriber's socket.
   */
  share(unsentBytes: () => number): UnsentShare {
    this.#members.add(unsentBytes);
    return {
      isOver: () => this.#isOver(unsentBytes()),
      [Symbol.dispose]: () => void this.#members.delete(unsentBytes),
    };
  }

  /** Whether all together are over theirs now, for whoever decides how much the next may take at once. */
  isScarce(): boolean {
    this.#sum();
    return this.#isOverTotal && this.#hit("maxUnsentBytesTotal");
  }

  #isOver(unsentBytes: number): boolean {
    if (unsentBytes === 0) return false;
    const { maxUnsentBytes, maxUnsentBytesTotal } = this.#limits;
    if (unsentBytes > maxUnsentBytes) return this.#hit("maxUnsentBytes");
    this.#sum();
    const isOver = this.#isOverTotal && unsentBytes > maxUnsentBytesTotal / this.#members.size;
    return isOver && this.#hit("maxUnsentBytesTotal");
  }

  #hit(limit: WaitingLimit): true {
    this.#onHit(limit);
    return true;
  }

  #sum(): void {
    const now = this.#now();
    if (now - this.#summedAt < this.#members.size * SUM_EVERY_MS_PER_MEMBER) return;
    this.#summedAt = now;
    let total = 0;
    for (const unsentBytes of this.#members) total += unsentBytes();
    this.#isOverTotal = total > this.#limits.maxUnsentBytesTotal;
  }
}
