import { commandLines } from "./command-text.ts";
import { textColumns, wrapColumns } from "./terminal-text.ts";

/** Between what is to be typed and what it is for. */
const GAP = / {4,}/;
const COMMENT_INDENT = 4;

const OWN_COMMANDS = "channel|completion|dev|doctor|init|publish|serve|stream|tail|token|trust";
const PROGRAMS = "bun|cd|chmod|df|echo|fuser|git|kill|mkdir|mv|node|npm|npx|pnpm|rm|sqlite3|su|sudo|yarn";
/** What a shell runs; the other fixes are sentences or lines of code. */
const COMMAND = new RegExp(`^(?:/|(?:export )?[A-Z_]+=|chanctl (?:${OWN_COMMANDS}) |(?:${PROGRAMS}) )`);

/**
 * A fix as lines of at most so many columns. What it is for goes below a step that is copied, which stays whole, or is
 * broken so that it still runs; sentences are broken at their spaces.
 *
 * ```
 * chanctl dev --app-port 3000
 *     or say where it listens
 * ```
 */
export function fixLines(fix: string, columns: number): readonly string[] {
  return fix.split("\n").flatMap((line) => toLines(line, columns));
}

function toLines(line: string, columns: number): readonly string[] {
  if (textColumns(line) <= columns) return [line];
  const [step = "", comment] = line.split(GAP, 2);
  const steps = COMMAND.test(step) ? commandLines(step, columns) : wrapColumns(step, columns);
  if (comment === undefined) return steps;
  const indent = " ".repeat(COMMENT_INDENT);
  return [...steps, ...wrapColumns(comment, columns - COMMENT_INDENT).map((text) => indent + text)];
}
