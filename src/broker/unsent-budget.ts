/** What one subscriber may take of the budget. */
interface UnsentShare {
  /** Notes how much waits for this subscriber's socket now. Returns whether that is too much. */
  readonly isOver: (unsentBytes: number) => boolean;
  /** Gives it back. */
  readonly release: () => void;
}

/**
 * How many bytes may wait for slow sockets: for each, and for all together. While all together are over theirs,
 * each is held to an equal part of it, so that the slow give way and the others notice nothing.
 */
export class UnsentBudget {
  readonly #maxBytes: number;
  readonly #maxTotalBytes: number;
  #shares = 0;
  /** As of the last word of each subscriber: what has drained since counts until its next. */
  #totalBytes = 0;

  constructor({
    maxUnsentBytes,
    maxUnsentBytesTotal,
  }: {
    maxUnsentBytes: number;
    maxUnsentBytesTotal: number;
  }) {
    this.#maxBytes = maxUnsentBytes;
    this.#maxTotalBytes = maxUnsentBytesTotal;
  }

  /** Takes part, until `release`. */
  share(): UnsentShare {
    this.#shares += 1;
    let noted = 0;
    const note = (unsentBytes: number): void => {
      this.#totalBytes += unsentBytes - noted;
      noted = unsentBytes;
    };
    return {
      isOver: (unsentBytes) => {
        note(unsentBytes);
        if (unsentBytes > this.#maxBytes) return true;
        return this.#totalBytes > this.#maxTotalBytes && unsentBytes > this.#maxTotalBytes / this.#shares;
      },
      release: () => {
        note(0);
        this.#shares -= 1;
      },
    };
  }
}
