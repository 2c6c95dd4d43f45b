import type { ChanctlError } from "../shared/errors.ts";

/** An error as the app's log shows it: what is wrong, and below it what to do, where that is known. */
export function withFix({ message, hint }: ChanctlError): string {
  return hint === undefined ? message : `${message}\n  fix: ${hint.replaceAll("\n", "\n       ")}`;
}
