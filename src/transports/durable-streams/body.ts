import { contentKindOf } from "../../protocol/durable-streams/media-type.ts";
import { splitJsonMessages } from "../../protocol/durable-streams/json-messages.ts";
import { incompleteTailLength, MAX_CHARACTER_BYTES } from "../../protocol/durable-streams/utf8-boundary.ts";
import type { BatchEncoding } from "../../broker/encoding.ts";
import { bytesOf, cutEntries, textOf } from "../../broker/entry.ts";
import type { Entry } from "../../broker/entry.ts";
import type { Body } from "../../broker/stream-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";

/**
 * What is stored of a request's body: each JSON message as it was written, text as text, anything else as it came.
 *
 * @throws {ChanctlError} `malformed` if it should be JSON and is not; `too_big` if it has too many messages.
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
    default:
      throw new Error(`there is no kind of content for ${mediaType}`);
  }
}

/** The body of a read. */
export function toContent(entries: readonly Entry[], mediaType: string): Buffer {
  if (contentKindOf(mediaType) === "json") return Buffer.from(`[${entries.map(textOf).join(",")}]`);
  return Buffer.concat(entries.map(bytesOf));
}

/** Makes the body of a read of entries that are read together. */
export function contentEncodingOf(mediaType: string): BatchEncoding {
  return {
    name: contentKindOf(mediaType),
    encodeBatch: ({ entries, isTail }) => {
      const whole = toWhole(entries, { mediaType, isTail });
      const bytes = toContent(whole, mediaType);
      return { bytes, position: whole.at(-1)?.position ?? 0 };
    },
  };
}

/**
 * Leaves the beginning of a character to the next chunk of a text: clients decode each chunk alone. At the tail
 * everything is sent, for nobody knows whether more will come.
 */
function toWhole(
  entries: readonly Entry[],
  { mediaType, isTail }: { readonly mediaType: string; readonly isTail: boolean },
): readonly Entry[] {
  const last = entries.at(-1);
  if (last === undefined || isTail || contentKindOf(mediaType) !== "text") return entries;
  // A character may begin in an entry before the last: the last bytes of a few are enough to see.
  const end = Buffer.concat(entries.slice(-MAX_CHARACTER_BYTES).map(bytesOf));
  return cutEntries(entries, { from: 0, to: last.position - incompleteTailLength(end) });
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
