import type { LogEntry } from "../../shared/logger.ts";
import { FrequentLines } from "./frequent-lines.ts";
import type { FrequentSum } from "./frequent-lines.ts";

/** What there was of an event on a stream beyond the lines that were printed. */
export type EntrySum = FrequentSum & Pick<LogEntry, "event">;

interface FrequentEntriesOptions {
  readonly print: (line: string) => void;
  readonly lineOf: (entry: LogEntry) => string;
  readonly sumLineOf: (sum: EntrySum) => string;
}

/** A room's worth of people is still told by name when all of them come back. */
const ROOM = { linesAStream: 20 };

/** Prints a line for each log entry; of those that a busy server has thousands of, sums. */
export class FrequentEntries {
  readonly #options: FrequentEntriesOptions;
  readonly #frequent: ReadonlyMap<string, FrequentLines>;

  constructor(options: FrequentEntriesOptions) {
    this.#options = options;
    this.#frequent = new Map([
      ["publish", this.#linesOf("publish")],
      ["connect", this.#linesOf("connect", ROOM)],
      ["disconnect", this.#linesOf("disconnect", ROOM)],
    ]);
  }

  /** Prints the entry, or counts it. */
  add(entry: LogEntry): void {
    const { print, lineOf } = this.#options;
    const text = (): string => lineOf(entry);
    const lines = this.#frequent.get(entry.event);
    const { path, messages } = entry.fields ?? {};
    if (lines === undefined || typeof path !== "string") print(text());
    else lines.add({ path, text, ...(typeof messages === "number" ? { count: messages } : {}) });
  }

  /** Prints the sums that have not been. */
  close(): void {
    for (const lines of this.#frequent.values()) lines.close();
  }

  #linesOf(event: string, options: { readonly linesAStream?: number } = {}): FrequentLines {
    const { print, sumLineOf } = this.#options;
    return new FrequentLines({
      ...options,
      print,
      printSum: (sum) => print(sumLineOf({ event, ...sum })),
    });
  }
}
