import type { Palette } from "../palette.ts";

interface PrettyOptions {
  readonly paint: Palette;
  /** In front of every line. */
  readonly indent: string;
}

const STEP = "  ";
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/** JSON without controls on several lines; names are coloured. Numbers stay as they were written, which `stringify` would round. */
export function prettyJson(json: string, { paint, indent }: PrettyOptions): string {
  const tokens = json.match(TOKEN) ?? [];
  let depth = 0;
  const newline = (): string => `\n${indent}${STEP.repeat(depth)}`;
  let text = indent;
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1] ?? "";
    if (isOpening(token)) {
      depth += 1;
      text += isClosing(next) ? token : `${token}${newline()}`;
    } else if (isClosing(token)) {
      depth -= 1;
      text += isOpening(tokens[index - 1] ?? "") ? token : `${newline()}${token}`;
    } else if (token === ",") text += `,${newline()}`;
    else if (token === ":") text += ": ";
    else text += next === ":" ? paint.cyan(token) : token;
  }
  return text;
}

function isOpening(token: string): boolean {
  return token === "{" || token === "[";
}

function isClosing(token: string): boolean {
  return token === "}" || token === "]";
}
