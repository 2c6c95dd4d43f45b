import type { Readable } from "node:stream";

/** One line that the app wrote. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** A line longer than this comes in pieces: an app that never ends a line must not fill the memory. */
const MAX_LINE_CHARS = 16_384;

/** Calls `onLine` with each line of UTF-8 text, without its end; with the unfinished last one when the stream ends. */
export function readLines(stream: Readable, onLine: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (rest.length > MAX_LINE_CHARS) {
      onLine(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
  });
  stream.once("close", () => {
    if (rest !== "") onLine(rest);
  });
  stream.on("error", () => {}); // the other end is gone; `close` follows
}
