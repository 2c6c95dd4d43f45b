import { ChanctlError } from "../shared/errors.ts";
import type { RunOutcome } from "./app-run.ts";

/** The app that failed, and what it wrote last. */
export interface FailedApp {
  readonly command: string;
  readonly port: number;
  readonly lastLines: readonly string[];
}

/** Why the app is given up, after so many failed starts in a row. */
export function toGivenUpError(
  app: FailedApp,
  { reason, isMissing = false, times }: RunOutcome & { readonly times: number },
): ChanctlError {
  if (!isMissing)
    return appFailed(app, { reason: `${reason}, ${times} times in a row without ever listening` });
  return appFailed(app, { reason: "was not found", hint: missingHint(app) });
}

/** A command line that was quoted after `--`: the shell looks for a program of that name. */
const QUOTED_LINE = /^(["'])[^"']*\s[^"']*\1$/;

function missingHint({ command }: FailedApp): string {
  return QUOTED_LINE.test(command)
    ? `--app ${command}     a command line goes there; after \`--\` it is not quoted`
    : "npm install     if its packages are not there yet; else name another command with --app";
}

/** Why nobody can wait for the app: it was not started, or was closed. */
export function toNotRunningError(app: FailedApp): ChanctlError {
  return appFailed(app, { reason: "is not running" });
}

function appFailed(
  { command, port, lastLines }: FailedApp,
  {
    reason,
    hint = `PORT=${port} ${command}     run it by itself to see what is wrong`,
  }: { readonly reason: string; readonly hint?: string },
): ChanctlError {
  return new ChanctlError("app_failed", `the app \`${command}\` ${reason}`, { hint, fields: { lastLines } });
}
