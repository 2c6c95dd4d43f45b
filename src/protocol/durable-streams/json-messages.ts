import { ChanctlError, messageOf } from "../../shared/errors.ts";
import { arrayElements, isArrayText } from "../json-text.ts";

/** Messages of one body: each is a row, and while the rows of one request are stored no other writer is served (CWE-400). */
const MAX_APPEND_MESSAGES = 10_000;

/**
 * The messages of a JSON body, as the text they were written in: an array is flattened by one level.
 *
 * @returns None for an empty array, which only a PUT may send.
 * @throws {ChanctlError} `malformed` if it is not JSON; `too_big` if there are more than `MAX_APPEND_MESSAGES`.
 * @see PROTOCOL.md, sections 9.1.2 to 9.1.4
 */
export function splitJsonMessages(text: string): string[] {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ChanctlError("malformed", `the body is not JSON: ${messageOf(cause)}`, { cause });
  }
  return isArrayText(text) ? arrayElements(text, { max: MAX_APPEND_MESSAGES }) : [text.trim()];
}
