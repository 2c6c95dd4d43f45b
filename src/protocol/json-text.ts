import { ChanctlError } from "../shared/errors.ts";

/**
 * Looks into JSON text without changing it. `JSON.parse` and `stringify` would turn
 * `12345678901234567890` and `1.0` into other numbers; what a writer sent is stored and served as it came,
 * so values are cut out of the text by their place.
 *
 * Every function here expects text that `JSON.parse` has already accepted.
 */

const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENERS = new Set([0x5b, 0x7b]);
const CLOSERS = new Set([0x5d, 0x7d]);

/** The top-level members of an object, as the text they were written in. The last of a repeated name wins, as in `JSON.parse`. */
export function objectMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let index = skipWhitespace(text, 0) + 1;
  for (;;) {
    index = skipWhitespace(text, index);
    if (text.charCodeAt(index) !== QUOTE) return members;
    const nameEnd = endOfValue(text, index);
    const name: unknown = JSON.parse(text.slice(index, nameEnd));
    const start = skipWhitespace(text, skipWhitespace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    members.set(String(name), text.slice(start, end));
    index = skipWhitespace(text, end);
    if (text.charCodeAt(index) === COMMA) index += 1;
  }
}

/**
 * The elements of an array, as the text they were written in.
 *
 * @param options.max how many there may be. @default any number
 * @throws {ChanctlError} `too_big` as soon as there are more.
 */
export function arrayElements(
  text: string,
  { max = Number.POSITIVE_INFINITY }: { max?: number } = {},
): string[] {
  const elements: string[] = [];
  let index = skipWhitespace(text, 0) + 1;
  for (;;) {
    index = skipWhitespace(text, index);
    if (CLOSERS.has(text.charCodeAt(index))) return elements;
    if (elements.length === max)
      throw new ChanctlError(
        "too_big",
        `the array has more than ${max} messages; send them in several requests`,
      );
    const end = endOfValue(text, index);
    elements.push(text.slice(index, end));
    index = skipWhitespace(text, end);
    if (text.charCodeAt(index) === COMMA) index += 1;
  }
}

/** Whether the text is an array, judged by its first character. */
export function isArrayText(text: string): boolean {
  return text.charCodeAt(skipWhitespace(text, 0)) === 0x5b;
}

/** Whether the text is an object, judged by its first character. */
export function isObjectText(text: string): boolean {
  return text.charCodeAt(skipWhitespace(text, 0)) === 0x7b;
}

function skipWhitespace(text: string, from: number): number {
  let index = from;
  while (WHITESPACE.has(text.charCodeAt(index))) index += 1;
  return index;
}

/** Deeper than anybody means: whoever turns such a value into text again runs out of stack (CWE-674). */
const MAX_DEPTH = 256;

/**
 * The index just after the value that begins at `start`.
 *
 * @throws {ChanctlError} `malformed` if it is nested too deep.
 */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let index = start;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
      if (depth === 0) return index;
      continue;
    }
    if (OPENERS.has(code)) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new ChanctlError("malformed", `the JSON is nested deeper than ${MAX_DEPTH}`);
    } else if (CLOSERS.has(code)) {
      if (depth === 0) return index;
      depth -= 1;
      if (depth === 0) return index + 1;
    } else if (depth === 0 && (code === COMMA || WHITESPACE.has(code))) return index;
    index += 1;
  }
  return index;
}

function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
