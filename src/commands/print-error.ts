import { ChanctlError } from "../shared/errors.ts";
import { toFileError } from "./file-error.ts";
import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { escapeControls, wrapColumns } from "./terminal-text.ts";

/** Where an error is printed. */
type ErrorOutput = Pick<Io, "stderr" | "errorColor" | "isTerminal" | "columns">;

const FIX = "  fix: ";

/**
 * Prints what was thrown, and what to do about it, to standard error.
 *
 * ```
 * error: port 4433 is in use by node (pid 812, ~/work/old-shop)
 *   fix: chanctl dev --port 0     pick a free port
 *        kill 812                 stop that one
 * ```
 *
 * Whatever else is thrown is a bug of ours and is shown with its stack, but for what the system says of files.
 *
 * @returns The exit code.
 */
export function printError(thrown: unknown, io: ErrorOutput): number {
  const { red, dim } = palette(io.errorColor);
  const error = thrown instanceof ChanctlError ? thrown : toFileError(thrown);
  if (error !== undefined) {
    const hint = error.hint && indentRest(wrapped(error.hint, FIX.length, io), FIX.length);
    const fix = hint === undefined ? "" : `${dim(FIX)}${hint}\n`;
    io.stderr(`${red("error:")} ${indentRest(wrapped(error.message, "error: ".length, io), 2)}\n${fix}`);
    return error.exitCode;
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  io.stderr(`${red("error:")} ${stack}\n`);
  io.stderr(`${dim(FIX)}this is a bug in chanctl; please report it with the lines above: npm bugs chanctl\n`);
  return 1;
}

/** Breaks long lines at words for a person; a code frame is as wide as it is. */
function wrapped(text: string, indent: number, io: ErrorOutput): string {
  if (!io.isTerminal) return text;
  const wrap = (line: string): string =>
    line.startsWith(" ") || line.startsWith(">") ? line : wrapColumns(line, io.columns - indent).join("\n");
  return text.split("\n").map(wrap).join("\n");
}

/** Lines and tabs stay; other controls could be those of a server or a file that somebody else wrote (CWE-150). */
function indentRest(text: string, spaces: number): string {
  const lines = text.split("\n").map((line) => line.split("\t").map(escapeControls).join("\t"));
  return lines.join(`\n${" ".repeat(spaces)}`);
}
