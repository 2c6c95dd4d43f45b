const MOST_LINES = 12;

/**
 * The lines in which two texts differ, for a terminal.
 *
 * ```
 *   3 - app: { command: "npm start" },
 *   3 + app: { command: "npm run dev" },
 * ```
 */
export function diffLines(before: string, after: string): string {
  const old = before.split("\n");
  const wanted = after.split("\n");
  const common = commonLengths(old, wanted);
  const lines: string[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < wanted.length) {
    if (row < old.length && old[row] === wanted[column]) {
      row += 1;
      column += 1;
    } else if (
      row < old.length &&
      (column === wanted.length || common(row + 1, column) >= common(row, column + 1))
    ) {
      lines.push(`${lineNumber(row)} - ${old[row] ?? ""}`);
      row += 1;
    } else {
      lines.push(`${lineNumber(column)} + ${wanted[column] ?? ""}`);
      column += 1;
    }
  }
  const hidden = lines.length - MOST_LINES;
  return hidden > 1
    ? [...lines.slice(0, MOST_LINES), `       … ${hidden} more`].join("\n")
    : lines.join("\n");
}

/** How many lines the rests of both texts have in common, in order, from a row of the one and a column of the other. */
function commonLengths(
  old: readonly string[],
  wanted: readonly string[],
): (row: number, column: number) => number {
  const width = wanted.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = wanted.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        old[row] === wanted[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  return at;
}

function lineNumber(index: number): string {
  return String(index + 1).padStart(5);
}
