const LINES_AROUND = 2;
/** With the numbers before it a line fits into a terminal of 80 columns: broken, its caret would point at nothing. */
const MAX_LINE_LENGTH = 66;
const MIN_LINE_LENGTH = 16;
/** What follows a place is worth seeing, too. */
const CARET_ROOM = 6;

/** A place in a text. */
export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** How many characters to point at. @default 1 */
  readonly length?: number;
}

/** A place, and what is shown of the text around it. */
export interface FrameOptions extends Place {
  /** How many lines above and below. @default 2 */
  readonly linesAround?: number;
}

/**
 * Shows a place in a source text: its line, the lines around it, and a caret below. Of long lines it shows what is
 * around the column.
 *
 * ```
 *   2 | export default {
 * > 3 |   transport: ws,
 *     |              ^^
 *   4 | };
 * ```
 */
export function codeFrame(
  source: string,
  { line, column, length = 1, linesAround = LINES_AROUND }: FrameOptions,
): string {
  const lines = source.split(/\r\n|\r|\n/);
  const first = Math.max(1, line - linesAround);
  const last = Math.min(lines.length, line + linesAround);
  const width = String(last).length;
  const marked = lines[line - 1] ?? "";
  const at = spaced(marked.slice(0, column - 1)).length;
  const end = spaced(marked.slice(0, column - 1 + length)).length;
  const from = firstShown(at, MAX_LINE_LENGTH);
  const rows: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const text = clipLine(spaced(lines[number - 1] ?? ""), { from, length: MAX_LINE_LENGTH });
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number !== line) continue;
    const carets = "^".repeat(Math.max(1, Math.min(end - at, text.length - (at - from))));
    rows.push(`  ${" ".repeat(width)} | ${" ".repeat(at - from)}${carets}`);
  }
  return rows.join("\n");
}

/** The rows of a frame, wherever it stands in a text. */
const FRAME = /^[> ] +\d* \|.*(?:\n[> ] +\d* \|.*)*/gm;
const CARETS = /^ +\| *\^+$/;

/** Narrows the code frames of a text to so many columns: of each, what is around its caret stays. */
export function narrowFrames(text: string, columns: number): string {
  return text.replaceAll(FRAME, (frame) => narrowRows(frame.split("\n"), columns).join("\n"));
}

function narrowRows(rows: readonly string[], columns: number): readonly string[] {
  if (rows.every((row) => row.length <= columns)) return rows;
  const gutter = (rows[0] ?? "").indexOf("|") + 2;
  const caret = rows.find((row) => CARETS.test(row))?.indexOf("^") ?? gutter;
  const length = Math.max(MIN_LINE_LENGTH, columns - gutter);
  const from = firstShown(caret - gutter, length);
  return rows.map((row) => {
    const text = row.slice(gutter);
    const shown = CARETS.test(row) ? text.slice(from, from + length) : clipLine(text, { from, length });
    return row.slice(0, gutter) + shown;
  });
}

/** Of a line as long as that: the beginning, where the place is on it, else what is around the place. */
function firstShown(at: number, length: number): number {
  return at < length - CARET_ROOM ? 0 : at + 1 - Math.floor(length / 2);
}

function clipLine(
  line: string,
  { from, length }: { readonly from: number; readonly length: number },
): string {
  const shown = line.slice(from, from + length);
  const begun = from > 0 && shown !== "" ? `…${shown.slice(1)}` : shown;
  return line.length > from + length ? `${begun.slice(0, -1)}…` : begun;
}

/** How wide a tab is depends on where it stands, and what is printed is indented: two spaces are two everywhere. */
function spaced(text: string): string {
  return text.replaceAll("\t", "  ");
}
