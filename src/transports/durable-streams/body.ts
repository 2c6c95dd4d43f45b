import { contentKindOf } from "../../protocol/durable-streams/media-type.ts";
import { splitJsonMessages } from "../../protocol/durable-streams/json-messages.ts";
import { bytesOf, textOf } from "../../broker/entry.ts";
import type { Entry } from "../../broker/entry.ts";
import type { Body } from "../../broker/stream-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";

/**
 * What is stored of a request's body: each JSON message as it was written, text as text, anything else as it came.
 *
 * @throws {ChanctlError} `malformed` if it should be JSON and is not.
 */
export function toBodies(bytes: Buffer, mediaType: string): Body[] {
  if (bytes.length === 0) return [];
  switch (contentKindOf(mediaType)) {
    case "json":
      return splitJsonMessages(decodeJson(bytes));
    case "text":
      return [decodeText(bytes) ?? bytes];
    case "bytes":
      return [bytes];
  }
}

/** The body of a read. */
export function toContent(entries: readonly Entry[], mediaType: string): Buffer {
  if (contentKindOf(mediaType) === "json") return Buffer.from(`[${entries.map(textOf).join(",")}]`);
  return Buffer.concat(entries.map(bytesOf));
}

/**
 * JSON is UTF-8 (RFC 8259, section 8.1); broken bytes would otherwise be stored as replacement characters.
 *
 * @throws {ChanctlError} `malformed`.
 */
export function decodeJson(bytes: Buffer): string {
  const text = decode(bytes);
  if (text === undefined) throw new ChanctlError("malformed", "the body is not UTF-8, as JSON must be");
  return text;
}

/** `undefined` for what text columns would not give back as it came: half a character, or a NUL. */
function decodeText(bytes: Buffer): string | undefined {
  const text = decode(bytes);
  return text?.includes("\0") === true ? undefined : text;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
