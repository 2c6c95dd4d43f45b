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
  const said = result.stderr.trim().split("\n").at(-1) || (result.stdout.trim().split("\n")[0] ?? "");
  const why = said === "" ? `exit code ${result.code}` : said;
  throw new ChanctlError("trust_failed", `could not ${step}: ${why}`, {
    hint: hint ?? `${command}    shows all that it says`,
  });
}

/** A command as a person would type it. */
export function toCommandLine(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}
