/**
 * What one subscriber has read, checked as it comes: every message of every lane once and in the order of its
 * lane. `order` is a hash of all messages in the order read: subscribers of one stream must agree on it.
 */
export class Reading {
  readonly #next: Uint32Array;
  received: number;
  order = 0;
  problem: string | undefined;

  /** @param before how many messages each lane had sent before it began to read. */
  constructor(before: readonly number[]) {
    this.#next = Uint32Array.from(before);
    this.received = before.reduce((sum, count) => sum + count, 0);
  }

  read(lane: number, number: number): void {
    const expected = this.#next[lane];
    if (number !== expected) {
      this.problem ??= `expected message ${expected} of lane ${lane}, got ${number}`;
      return;
    }
    this.#next[lane] = number + 1;
    this.received += 1;
    this.order = (Math.imul(this.order, 31) + lane * 65_599 + number) | 0;
  }

  /** What is wrong with the reading, given how many messages each lane has sent; `undefined` if nothing. */
  check(sent: readonly number[]): string | undefined {
    if (this.problem !== undefined) return this.problem;
    const lane = sent.findIndex((count, index) => count !== (this.#next[index] ?? 0));
    if (lane === -1) return undefined;
    return `expected ${sent[lane]} messages of lane ${lane}, got ${this.#next[lane]}`;
  }
}
