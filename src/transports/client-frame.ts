import { ChanctlError, messageOf } from "../shared/errors.ts";
import { isObjectText, objectMembers } from "../protocol/json-text.ts";
import { parseDraft } from "../protocol/message.ts";
import type { Draft } from "../protocol/message.ts";
import { assertKey } from "./idempotency-key.ts";

/** What a client says on a WebSocket. */
export type ClientFrame =
  | { readonly kind: "publish"; readonly draft: Draft; readonly key: string | undefined }
  | { readonly kind: "auth"; readonly token: string }
  | { readonly kind: "ping" }
  | { readonly kind: "pong" };

const MAX_REF_LENGTH = 128;

/** The members of a frame, as text. @throws {ChanctlError} `malformed` if it is not a JSON object. */
export function frameMembers(text: string): Map<string, string> {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ChanctlError("malformed", `the frame is not JSON: ${messageOf(cause)}`, { cause });
  }
  if (!isObjectText(text)) throw new ChanctlError("malformed", "the frame must be a JSON object");
  return objectMembers(text);
}

/** The JSON text of a frame's `ref`, to be sent back with its answer; `undefined` where there is none that could be. */
export function refOf(members: ReadonlyMap<string, string>): string | undefined {
  const text = members.get("ref");
  return text !== undefined && text.length <= MAX_REF_LENGTH && /^["\d-]/.test(text) ? text : undefined;
}

/**
 * Reads a frame.
 *
 * @throws {ChanctlError} `malformed`, `too_big`.
 */
export function parseClientFrame(
  text: string,
  members: ReadonlyMap<string, string>,
  limits: { readonly maxMessageBytes: number },
): ClientFrame {
  const control = textMember(members, "control");
  switch (control) {
    case undefined:
      return { kind: "publish", draft: parseDraft(text, "the frame", limits), key: readKey(members) };
    case "ping":
    case "pong":
      return { kind: control };
    case "auth": {
      const token = textMember(members, "token");
      if (token === undefined || token === "")
        throw new ChanctlError("malformed", "the auth frame has no `token`");
      return { kind: "auth", token };
    }
    default:
      throw new ChanctlError("malformed", "`control` must be `auth`, `ping` or `pong`");
  }
}

function readKey(members: ReadonlyMap<string, string>): string | undefined {
  const key = textMember(members, "key");
  if (key !== undefined) assertKey(key, "key");
  return key;
}

function textMember(members: ReadonlyMap<string, string>, name: string): string | undefined {
  const text = members.get(name);
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value === "string") return value;
  throw new ChanctlError("malformed", `\`${name}\` must be a text, got \`${text.slice(0, 40)}\``);
}
