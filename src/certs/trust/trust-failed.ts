import { ChanctlError } from "../../shared/errors.ts";
import type { CommandResult } from "./machine.ts";

interface FailedStep {
  /** What was tried: "add the CA to ~/.pki/nssdb". */
  readonly step: string;
  /** What ran, for a person to repeat. */
  readonly command: string;
  readonly hint?: string;
}

/**
 * Passes if a tool went well.
 *
 * @throws {ChanctlError} `trust_failed` with the tool's own last words.
 */
export function assertDone(result: CommandResult, { step, command, hint }: FailedStep): void {
  if (result.code === 0) return;
  throw new ChanctlError("trust_failed", `could not ${step}: ${lastWordsOf(result)}`, {
    hint: hint ?? `${command}    shows all that it says`,
  });
}

/** Why a tool failed, in its own words where it has any. */
export function lastWordsOf({ code, stdout, stderr }: CommandResult): string {
  return stderr.trim().split("\n").at(-1) || stdout.trim().split("\n")[0] || `exit code ${code}`;
}

/** A command as a person would type it. */
export function toCommandLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
