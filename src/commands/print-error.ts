import { ChanctlError } from "../shared/errors.ts";
import { toFileError } from "./file-error.ts";
import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { escapeControls } from "./terminal-text.ts";

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
export function printError(thrown: unknown, io: Io): number {
  const { red, dim } = palette(io.errorColor);
  const error = thrown instanceof ChanctlError ? thrown : toFileError(thrown);
  if (error !== undefined) {
    const fix = error.hint === undefined ? "" : `${dim(FIX)}${indentRest(error.hint, FIX.length)}\n`;
    io.stderr(`${red("error:")} ${indentRest(error.message, 2)}\n${fix}`);
    return error.exitCode;
  }
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  io.stderr(`${red("error:")} ${stack}\n`);
  io.stderr(`${dim(FIX)}this is a bug in chanctl; please report it with the lines above: npm bugs chanctl\n`);
  return 1;
}

/** Lines and tabs stay; other controls could be those of a server or a file that somebody else wrote (CWE-150). */
function indentRest(text: string, spaces: number): string {
  const lines = text.split("\n").map((line) => line.split("\t").map(escapeControls).join("\t"));
  return lines.join(`\n${" ".repeat(spaces)}`);
}
