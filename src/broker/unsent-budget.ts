/** What one subscriber may take of the budget; given back when it is disposed of. */
interface UnsentShare extends Disposable {
  /** Whether what waits for this subscriber's socket now is too much. */
  readonly isOver: () => boolean;
}

interface UnsentLimits {
  readonly maxUnsentBytes: number;
  readonly maxUnsentBytesTotal: number;
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
  readonly #members = new Set<() => number>();
  #isOverTotal = false;
  #summedAt = Number.NEGATIVE_INFINITY;

  /** @param now a clock that never jumps, in ms. */
  constructor(limits: UnsentLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
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

  #isOver(unsentBytes: number): boolean {
    if (unsentBytes === 0) return false;
    const { maxUnsentBytes, maxUnsentBytesTotal } = this.#limits;
    if (unsentBytes > maxUnsentBytes) return true;
    this.#sum();
    return this.#isOverTotal && unsentBytes > maxUnsentBytesTotal / this.#members.size;
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
