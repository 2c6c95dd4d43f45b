const LINES_AROUND = 2;
const MAX_LINE_LENGTH = 160;

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
 * Shows a place in a source text: its line, two lines around it, and a caret below.
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
  for (let number = first; number <= last; number += 1) {
    const text = (lines[number - 1] ?? "").slice(0, MAX_LINE_LENGTH);
    rows.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number !== line) continue;
    // Tabs stay tabs, so that the caret stands below its character whatever a tab's width is.
    const indent = text.slice(0, column - 1).replaceAll(/[^\t]/g, " ");
    const carets = "^".repeat(Math.max(1, Math.min(length, text.length - indent.length)));
    rows.push(`  ${" ".repeat(width)} | ${indent}${carets}`);
  }
  return rows.join("\n");
}
