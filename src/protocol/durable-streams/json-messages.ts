import { ChanctlError, messageOf } from "../../shared/errors.ts";
import { arrayElements, isArrayText } from "../json-text.ts";

/**
 * The messages of a JSON body, as the text they were written in: an array is flattened by one level.
 *
 * @returns None for an empty array, which only a PUT may send.
 * @throws {ChanctlError} `malformed` if it is not JSON.
 * @see PROTOCOL.md, sections 9.1.2 to 9.1.4
 */
export function splitJsonMessages(text: string): string[] {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ChanctlError("malformed", `the body is not JSON: ${messageOf(cause)}`, { cause });
  }
  return isArrayText(text) ? arrayElements(text) : [text.trim()];
}
