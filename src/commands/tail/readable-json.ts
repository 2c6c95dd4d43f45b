import { escapeControls } from "../terminal-text.ts";

/** What follows a `\` in JSON: a pair of surrogates, a code unit, or one character. */
const ESCAPE = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|.)/g;

/**
 * JSON text as a person reads it: `"\u65e5"` is `"日"`, and controls are escaped, however the writer wrote them. All
 * but the strings stays as it was written; `stringify` would round large numbers.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-7
 */
export function readableJson(json: string): string {
  return escapeControls(json.replaceAll(ESCAPE, toReadable));
}

/** Nothing to see: half a pair, what is not assigned, format characters but for the joiners of scripts and emoji. */
const INVISIBLE = /[\p{Cs}\p{Co}\p{Cn}]|(?![\u200C\u200D])\p{Cf}/u;

/** A quote and a backslash stay escapes too: the text is still JSON of the same meaning. */
function toReadable(escape: string): string {
  if (escape === String.raw`\/`) return "/";
  if (!escape.startsWith(String.raw`\u`)) return escape;
  const character = String(JSON.parse(`"${escape}"`));
  const isReadable = !/["\\]/.test(character) && !INVISIBLE.test(character);
  return isReadable && escapeControls(character) === character ? character : escape;
}
