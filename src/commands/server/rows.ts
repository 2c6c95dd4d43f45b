import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { textColumns, shortenMiddle } from "../terminal-text.ts";

/** A piece of a row that stays in one line. */
interface RowItem {
  readonly text: string;
  /** Colours the text. @default none */
  readonly paint?: (text: string) => string;
  /** Its middle may be left out on a terminal that is too narrow: for paths and commands. @default false */
  readonly mayShorten?: boolean;
}

/** A label and what it is about. */
export interface Row {
  readonly label: string;
  readonly items: readonly RowItem[];
}

const LABEL_COLUMNS = 12;
const GAP = "  ";
/** After an item of a list. */
const LIST_GAP = " ";

/**
 * Rows with their labels in one column and their items in another. On a terminal, what does not fit goes on below, in
 * the items' column; elsewhere each row is one line.
 */
export function formatRows(rows: readonly Row[], io: Io): string {
  const { dim } = palette(io.color);
  const room = io.isOutputTerminal ? Math.max(20, io.columns - LABEL_COLUMNS - 1) : Number.POSITIVE_INFINITY;
  const indent = " ".repeat(LABEL_COLUMNS);
  return rows
    .map(
      ({ label, items }) =>
        `  ${dim(label.padEnd(LABEL_COLUMNS - 2))}${toLines(items, room).join(`\n${indent}`)}\n`,
    )
    .join("");
}

function toLines(items: readonly RowItem[], room: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  let gap = "";
  for (const { text, paint = String, mayShorten = false } of items) {
    const shown = mayShorten && room !== Number.POSITIVE_INFINITY ? shortenMiddle(text, room) : text;
    const columns = textColumns(shown);
    if (used > 0 && used + gap.length + columns > room) {
      lines.push(line);
      line = "";
      used = 0;
      gap = "";
    }
    line += gap + paint(shown);
    used += gap.length + columns;
    gap = /[,;]$/.test(text) ? LIST_GAP : GAP;
  }
  return [...lines, line];
}
