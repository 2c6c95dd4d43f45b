import { didYouMean } from "../shared/did-you-mean.ts";

const MAX_LENGTH = 64;

/** The name that was probably meant. A long text gets none: comparing costs its length squared (CWE-400). */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  return typed.length > MAX_LENGTH ? undefined : didYouMean(typed, names);
}

/** What a client sent, short enough for an error. */
export function clip(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
