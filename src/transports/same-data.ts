import { isDeepStrictEqual } from "node:util";

/** JSON strings, which may hold what looks like a number. */
const STRING = /"(?:[^"\\]|\\.)*"/g;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** What a double can hold and give back (IEEE 754): with more digits a number was written by somebody who means them. */
const DOUBLE_DIGITS = 17;

/**
 * Whether an app that was shown `original` has sent it back as it was: the same value, though it may be written in
 * another way, and its numbers may have gone through doubles, as they do in JavaScript.
 *
 * @param made JSON text.
 * @param original JSON text.
 */
export function isSameData(made: string, original: string): boolean {
  if (made === original) return true;
  if (!isDeepStrictEqual(JSON.parse(made), JSON.parse(original))) return false;
  const known = new Set(numbersIn(original));
  return numbersIn(made).every((number) => known.has(number) || digitsOf(number) <= DOUBLE_DIGITS);
}

function numbersIn(json: string): string[] {
  return json.replaceAll(STRING, '""').match(NUMBER) ?? [];
}

/** Significant ones: the zeros at the end of a rounded whole number are none. */
function digitsOf(number: string): number {
  const [mantissa = ""] = number.split(/[eE]/);
  return mantissa.replaceAll(/^-?0*|\./g, "").replace(/0+$/, "").length;
}
