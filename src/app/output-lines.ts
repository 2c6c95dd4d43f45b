import type { Readable } from "node:stream";

/** One line that the app wrote. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/** A line longer than this comes in pieces: an app that never ends a line must not fill the memory. */
const MAX_LINE_CHARS = 16_384;

/**
 * How long a line may lack its end before it is shown, in ms: a question or a row of dots has none, and a line that comes
 * in two pieces has the second one long before.
 */
const UNFINISHED_WAIT_MS = 200;

/**
 * Calls `onLine` with each line of UTF-8 text, without its end. An unfinished one is a line when nothing has followed it
 * for 200 ms, or the stream ends; what then follows is the next.
 */
export function readLines(stream: Readable, onLine: (text: string) => void): void {
  let rest = "";
  let isCut = false; // the line's beginning has been shown: its end alone is no line
  let wait: NodeJS.Timeout | undefined;
  const endLine = (text: string): void => {
    const line = withoutCr(text);
    if (line !== "" || !isCut) onLine(line);
    isCut = false;
  };
  const showUnfinished = (): void => {
    if (rest === "\r") return; // the LF that belongs to it is on its way
    onLine(withoutCr(rest));
    rest = "";
    isCut = true;
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    clearTimeout(wait);
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) endLine(line);
    while (rest.length > MAX_LINE_CHARS) {
      onLine(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
    if (rest !== "") wait = setTimeout(showUnfinished, UNFINISHED_WAIT_MS).unref();
  });
  stream.once("close", () => {
    clearTimeout(wait);
    if (rest !== "") onLine(rest);
  });
  stream.on("error", () => {}); // the other end is gone; `close` follows
}

function withoutCr(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
