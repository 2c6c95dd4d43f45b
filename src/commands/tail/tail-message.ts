import { objectMembers } from "../../protocol/json-text.ts";
import { ChanctlError } from "../../shared/errors.ts";

/** A message as the wire has it, and what the terminal needs of it. */
export interface TailMessage {
  /** The whole message, JSON on one line, numbers as they were written. */
  readonly json: string;
  /** The same of its data. */
  readonly dataJson: string;
  readonly data: unknown;
  readonly id: string;
  readonly type: string;
  readonly from?: string;
  /** In ms since 1970. */
  readonly time: number;
}

/**
 * Reads a message of an event stream.
 *
 * @throws {ChanctlError} `malformed` if it is none: whatever answers there is not chanctl.
 */
export function parseTailMessage(text: string): TailMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAMessage(text, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notAMessage(text);
  const { id, type, from, time, data } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || typeof type !== "string" || typeof time !== "number") throw notAMessage(text);
  return {
    json: toOneLine(text),
    dataJson: toOneLine(objectMembers(text).get("data") ?? "null"),
    data,
    id,
    type,
    time,
    ...(typeof from === "string" ? { from } : {}),
  };
}

/** Takes out the white space between the tokens; `stringify` would round large numbers. */
function toOneLine(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, quoted: string | undefined) => quoted ?? "");
}

function notAMessage(text: string, cause?: unknown): ChanctlError {
  return new ChanctlError("malformed", `the server sent what is no message: \`${text.slice(0, 80)}\``, {
    cause,
    hint: "check that the URL is a chanctl server's",
  });
}
