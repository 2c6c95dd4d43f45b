import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { textColumns } from "./terminal-text.ts";

/** A command to type or a thing to do, and what it is for; `""` where that is plain. */
export type Step = readonly [step: string, purpose: string];

/** The steps in two columns; on a terminal too narrow for these, each purpose below its step. */
export function stepLines(
  steps: readonly Step[],
  io: Pick<Io, "color" | "columns" | "isOutputTerminal">,
): string {
  const { bold, dim } = palette(io.color);
  const width = Math.max(...steps.map(([step]) => textColumns(step)));
  const widest = Math.max(...steps.map(([, purpose]) => width + textColumns(purpose) + 5));
  const isNarrow = io.isOutputTerminal && widest > io.columns;
  return steps
    .map(([step, purpose]) => {
      if (purpose === "") return `  ${bold(step)}\n`;
      if (isNarrow) return `  ${bold(step)}\n    ${dim(purpose)}\n`;
      return `  ${bold(step)}${" ".repeat(width - textColumns(step))}   ${dim(purpose)}\n`;
    })
    .join("");
}
