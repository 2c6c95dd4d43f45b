import type { Io } from "../io.ts";
import { commandLines } from "../command-text.ts";
import { palette } from "../palette.ts";
import { textColumns, shortenMiddle } from "../terminal-text.ts";

/** A piece of a row that stays in one line. */
interface RowItem {
  readonly text: string;
  /** Colours the text. @default none */
  readonly paint?: (text: string) => string;
  /** It runs when it is copied: where it is too long it is broken between its words. @default false */
  readonly isCommand?: boolean;
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
export function formatRows(
  rows: readonly Row[],
  io: Pick<Io, "color" | "columns" | "isOutputTerminal">,
): string {
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

/** An item as the lines that it needs by itself. */
function toParts({ text, isCommand = false, mayShorten = false }: RowItem, room: number): readonly string[] {
  if (room === Number.POSITIVE_INFINITY) return [text];
  if (isCommand) return commandLines(text, room);
  return [mayShorten ? shortenMiddle(text, room) : text];
}

function toLines(items: readonly RowItem[], room: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  let gap = "";
  for (const item of items) {
    const parts = toParts(item, room);
    for (const shown of parts) {
      const columns = textColumns(shown);
      if (used > 0 && (parts.length > 1 || used + gap.length + columns > room)) {
        lines.push(line);
        line = "";
        used = 0;
        gap = "";
      }
      line += gap + (item.paint ?? String)(shown);
      used += gap.length + columns;
    }
    gap = /[,;]$/.test(item.text) ? LIST_GAP : GAP;
  }
  return [...lines, line];
}
