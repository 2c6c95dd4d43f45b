const LINES_AROUND = 2;
/** With the numbers before it a line fits into a terminal of 80 columns: broken, its caret would point at nothing. */
const MAX_LINE_LENGTH = 66;

/** A place in a text. */
export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** How many characters to point at. @default 1 */
  readonly length?: number;
}

/**
 * Shows a place in a source text: its line, two lines around it, and a caret below. Of long lines it shows what is
 * around the column.
 *
 * ```
 *   2 | export default {
 * > 3 |   transport: ws,
 *     |              ^^
 *   4 | };
 * ```
 */
export function codeFrame(source: string, { line, column, length = 1 }: Place): string {
  const lines = source.split(/\r\n|\r|\n/);
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const width = String(last).length;
  const rows: string[] = [];
  const from = column <= MAX_LINE_LENGTH - 6 ? 0 : column - Math.floor(MAX_LINE_LENGTH / 2);
  for (let number = first; number <= last; number += 1) {
    const text = clipLine(lines[number - 1] ?? "", from);
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number !== line) continue;
    // Tabs stay tabs, so that the caret stands below its character whatever a tab's width is.
    const indent = text.slice(0, column - 1 - from).replaceAll(/[^\t]/g, " ");
    const carets = "^".repeat(Math.max(1, Math.min(length, text.length - indent.length)));
    rows.push(`  ${" ".repeat(width)} | ${indent}${carets}`);
  }
  return rows.join("\n");
}

function clipLine(line: string, from: number): string {
  const shown = line.slice(from, from + MAX_LINE_LENGTH);
  const begun = from > 0 && shown !== "" ? `…${shown.slice(1)}` : shown;
  return line.length > from + MAX_LINE_LENGTH ? `${begun.slice(0, -1)}…` : begun;
}
