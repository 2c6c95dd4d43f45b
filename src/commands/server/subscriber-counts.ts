import type { LogEntry } from "../../shared/logger.ts";

/** How many subscribers each stream has, counted from the log. */
export class SubscriberCounts {
  readonly #byPath = new Map<string, number>();
  #total = 0;

  /** All of them. */
  get total(): number {
    return this.#total;
  }

  /** The streams that have subscribers, in the order in which they came. */
  get paths(): readonly string[] {
    return [...this.#byPath.keys()];
  }

  /** Those of one stream. */
  of(path: string): number {
    return this.#byPath.get(path) ?? 0;
  }

  /** @returns Whether somebody came or went. */
  note({ event, fields }: LogEntry): boolean {
    const path = fields?.["path"];
    const by = event === "connect" ? 1 : event === "disconnect" ? -1 : 0;
    if (by === 0 || typeof path !== "string") return false;
    const count = this.of(path) + by;
    if (count > 0) this.#byPath.set(path, count);
    else this.#byPath.delete(path);
    this.#total += by;
    return true;
  }
}
