import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { wrapColumns } from "../terminal-text.ts";
import type { Change } from "./plan.ts";

const SIGNS = { create: "+", "add to": "~", replace: "!", keep: "=" } as const;
/** Before a path: the sign and what is done. */
const PATH_COLUMN = 13;
const LEAST_COLUMNS = 20;

/** The plan, one line a file; what is added to one goes on below where the terminal ends. */
export function planLines(
  changes: readonly Change[],
  io: Pick<Io, "color" | "columns" | "isOutputTerminal">,
): string {
  const { green, yellow, red, dim } = palette(io.color);
  const paints = { create: green, "add to": yellow, replace: red, keep: dim };
  const width = Math.max(...changes.map(({ path }) => path.length));
  const start = PATH_COLUMN + width + 2;
  const room = io.isOutputTerminal ? Math.max(LEAST_COLUMNS, io.columns - start) : Number.POSITIVE_INFINITY;
  const lines = changes.map(({ kind, path, added }) => {
    const line = `  ${paints[kind](`${SIGNS[kind]} ${kind.padEnd(7)}`)}  ${path}`;
    if (added.length === 0 || (kind !== "add to" && kind !== "keep")) return line;
    const wrapped = wrapColumns(added.join(", "), room).map((text) => dim(text));
    return `${line}${" ".repeat(width - path.length)}  ${wrapped.join(`\n${" ".repeat(start)}`)}`;
  });
  return `${lines.join("\n")}\n`;
}
