/** What has come since the last line about a kind. */
interface Held<T> {
  count: number;
  last: T | undefined;
  readonly timer: NodeJS.Timeout;
}

const LINE_INTERVAL_MS = 1_000;

/**
 * Tells of what happens, of each kind the first at once, those of the next second together, and so on: a flood of
 * what a client can cause is not a flood of the log (CWE-779). There MUST be few kinds.
 */
export class BoundedLines<Kind, T> {
  readonly #tell: (last: T, count: number) => void;
  readonly #held = new Map<Kind, Held<T>>();

  /** @param tell writes one line about the last of `count` that came. */
  constructor(tell: (last: T, count: number) => void) {
    this.#tell = tell;
  }

  /** Counts one, and tells of it now or within a second. */
  note(kind: Kind, item: T): void {
    const held = this.#held.get(kind);
    if (held === undefined) {
      this.#hold(kind);
      this.#tell(item, 1);
    } else {
      held.count += 1;
      held.last = item;
    }
  }

  /** Tells what is still held. */
  close(): void {
    for (const [kind, { timer, count, last }] of this.#held) {
      clearTimeout(timer);
      this.#held.delete(kind);
      if (last !== undefined) this.#tell(last, count);
    }
  }

  #hold(kind: Kind): void {
    const timer = setTimeout(() => this.#release(kind), LINE_INTERVAL_MS);
    timer.unref();
    this.#held.set(kind, { count: 0, last: undefined, timer });
  }

  #release(kind: Kind): void {
    const held = this.#held.get(kind);
    this.#held.delete(kind);
    if (held?.last === undefined) return;
    this.#hold(kind);
    this.#tell(held.last, held.count);
  }
}

/** How a line says that it stands for several. */
export function inTheLastSecond(count: number): string {
  return count === 1 ? "" : ` (${count} times in the last second)`;
}
