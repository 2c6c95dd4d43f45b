import type { Palette } from "../palette.ts";
import type { Change } from "./plan.ts";

const SIGNS = { create: "+", "add to": "~", replace: "!", keep: "=" } as const;

/** The plan, one line a file. */
export function planLines(changes: readonly Change[], { green, yellow, red, dim }: Palette): string {
  const paints = { create: green, "add to": yellow, replace: red, keep: dim };
  const width = Math.max(...changes.map(({ path }) => path.length));
  const lines = changes.map(({ kind, path, added }) => {
    const line = `  ${paints[kind](`${SIGNS[kind]} ${kind.padEnd(7)}`)}  ${path}`;
    return kind === "add to" ? `${line}${" ".repeat(width - path.length)}  ${dim(added.join(", "))}` : line;
  });
  return `${lines.join("\n")}\n`;
}
