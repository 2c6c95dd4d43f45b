interface RoundsOptions<Key, State> {
  /** How often, in ms. */
  readonly everyMs: number;
  /** Looks at one, and says what is to be known of it at the next look. */
  readonly look: (key: Key, state: State) => State;
}

/** Looks at each thing that it is given, again and again until it is taken out; keeps no process alive. */
export class Rounds<Key, State> {
  readonly #options: RoundsOptions<Key, State>;
  readonly #states = new Map<Key, State>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RoundsOptions<Key, State>) {
    this.#options = options;
  }

  add(key: Key, state: State): void {
    this.#states.set(key, state);
    this.#timer ??= setInterval(() => this.#lookAtAll(), this.#options.everyMs).unref();
  }

  remove(key: Key): void {
    this.#states.delete(key);
    if (this.#states.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookAtAll(): void {
    for (const [key, state] of this.#states) {
      const next = this.#options.look(key, state);
      if (this.#states.has(key)) this.#states.set(key, next); // a look may end what it looks at
    }
  }
}
