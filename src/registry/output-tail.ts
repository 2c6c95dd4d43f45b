import type { Readable } from "node:stream";

const MAX_LENGTH = 16_384;
const MAX_LINES = 20;

/** Keeps the last lines of what a child process writes, for the error that shows them. */
export class OutputTail {
  #kept = "";

  constructor(streams: readonly (Readable | null)[]) {
    for (const stream of streams) {
      stream?.setEncoding("utf8");
      stream?.on("data", (text: string) => {
        this.#kept = (this.#kept + text).slice(-MAX_LENGTH);
      });
    }
  }

  /** The lines, indented by two. */
  get text(): string {
    const lines = this.#kept.trimEnd().split("\n").slice(-MAX_LINES);
    return lines.map((line) => `  ${line}`.trimEnd()).join("\n");
  }
}
