import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { textColumns, wrapColumns } from "./terminal-text.ts";

/** Rows of cells, and what each column holds; the first is the name. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The rows in columns; on a terminal too narrow for these, one line a cell below its row's name. */
export function tableLines(
  { head, rows }: Table,
  io: Pick<Io, "color" | "columns" | "isOutputTerminal">,
): string {
  const { bold, dim } = palette(io.color);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => textColumns(row[column] ?? ""))),
  );
  const pad = (cell: string, column: number): string =>
    cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - textColumns(cell)));
  const total = widths.reduce((sum, width) => sum + width + 2, -2);
  if (!io.isOutputTerminal || total <= io.columns) {
    const [first = "", ...lines] = [head, ...rows].map((row) => row.map(pad).join("  ").trimEnd());
    return `${[dim(first), ...lines].join("\n")}\n`;
  }
  const [, ...titles] = head;
  const width = Math.max(...titles.map(textColumns));
  const indent = `\n${" ".repeat(width + 4)}`;
  const blocks = rows.map(([name = "", ...cells]) => {
    const lines = titles.map((title, index) => {
      const parts = wrapColumns(cells[index] ?? "", io.columns - width - 4);
      return `  ${dim(title.toLowerCase().padEnd(width))}  ${parts.join(indent)}\n`;
    });
    return `${bold(name)}\n${lines.join("")}`;
  });
  return blocks.join("\n");
}
