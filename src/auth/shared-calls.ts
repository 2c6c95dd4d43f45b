interface SharedCall<T> {
  readonly outcome: Promise<T>;
  readonly over: AbortController;
  waiting: number;
}

interface Joining<T> {
  /** Makes the call where none is under way. Its signal aborts when nobody waits for it any more. */
  readonly call: (signal: AbortSignal) => Promise<T>;
  /** Aborts when this one no longer waits. */
  readonly signal: AbortSignal;
}

/** Makes one call of identical ones that are under way, and gives it up when the last who waited has left. */
export class SharedCalls<T> {
  readonly #underWay = new Map<string, SharedCall<T>>();

  /**
   * Joins the call of this name, or begins it.
   *
   * @returns What came of it; `undefined` once the signal has aborted.
   * @throws What the call throws.
   */
  async join(name: string, { call, signal }: Joining<T>): Promise<T | undefined> {
    if (signal.aborted) return undefined;
    const shared = this.#underWay.get(name) ?? this.#begin(name, call);
    shared.waiting += 1;
    let leave = (): void => {};
    const left = new Promise<undefined>((resolve) => (leave = () => resolve(undefined)));
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([shared.outcome, left]);
    } finally {
      signal.removeEventListener("abort", leave);
      shared.waiting -= 1;
      if (shared.waiting === 0) {
        this.#forget(name, shared); // first: who comes now must not join what is given up
        shared.over.abort();
      }
    }
  }

  #begin(name: string, call: Joining<T>["call"]): SharedCall<T> {
    const over = new AbortController();
    // Forgotten before anybody hears the outcome: who is not content with it asks anew.
    const outcome = call(over.signal).finally(() => this.#forget(name, shared));
    const shared: SharedCall<T> = { outcome, over, waiting: 0 };
    outcome.catch(() => {}); // when all have left, nobody hears it
    this.#underWay.set(name, shared);
    return shared;
  }

  #forget(name: string, shared: SharedCall<T>): void {
    if (this.#underWay.get(name) === shared) this.#underWay.delete(name);
  }
}
