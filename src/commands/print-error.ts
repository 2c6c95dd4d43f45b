import { ChanctlError } from "../shared/errors.ts";
import { toFileError } from "./file-error.ts";
import { fixLines } from "./fix-lines.ts";
import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { escapeControls, wrapLines } from "./terminal-text.ts";

/** Where an error is printed. */
type ErrorOutput = Pick<Io, "stderr" | "errorColor" | "isTerminal" | "columns">;

const ERROR = "error: ";
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
    const columns = io.isTerminal ? io.columns : Number.POSITIVE_INFINITY;
    const message = indentRest(wrapLines(error.message, columns - ERROR.length), 2);
    const hint = error.hint && indentRest(fixLines(error.hint, columns - FIX.length), FIX.length);
    const fix = hint === undefined ? "" : `${dim(FIX)}${hint}\n`;
    io.stderr(`${red("error:")} ${message}\n${fix}`);
    return error.exitCode;
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  io.stderr(`${red("error:")} ${stack}\n`);
  io.stderr(`${dim(FIX)}this is a bug in chanctl; please report it with the lines above: npm bugs chanctl\n`);
  return 1;
}

/** Tabs stay; other controls could be those of a server or a file that somebody else wrote (CWE-150). */
function indentRest(lines: readonly string[], spaces: number): string {
  const indent = " ".repeat(spaces);
  const harmless = lines.map((line) => line.split("\t").map(escapeControls).join("\t"));
  return harmless.map((line, index) => (index === 0 || line === "" ? line : indent + line)).join("\n");
}
