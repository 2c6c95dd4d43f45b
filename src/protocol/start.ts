import { ChanctlError } from "../shared/errors.ts";
import { clip } from "../shared/clip.ts";
import { parseDurationMs } from "../shared/duration.ts";
import { parseOffset } from "./offset.ts";
import type { Offset } from "./offset.ts";

/** Where a subscriber asks to begin. */
export type Start =
  | { readonly kind: "live" }
  | { readonly kind: "oldest" }
  | { readonly kind: "after"; readonly offset: Offset }
  | { readonly kind: "last-messages"; readonly count: number }
  | { readonly kind: "last-duration"; readonly durationMs: number };

/** What of a request says where to begin, before it is read. */
export interface StartInput {
  /** The `Last-Event-ID` header. */
  readonly lastEventId: string | undefined;
  /** The `last_message_id` query parameter. */
  readonly lastMessageId: string | undefined;
  /** The `rewind` query parameter. */
  readonly rewind: string | undefined;
}

/**
 * Reads where a subscriber asks to begin: the first that is given of `Last-Event-ID`, `last_message_id`,
 * `rewind`; else the live tail. An empty one counts as not given: an `EventSource` that has seen no id
 * sends none, but proxies and clients do.
 *
 * @throws {ChanctlError} `malformed` with the parameter's name and what it may be.
 */
export function parseStart({ lastEventId, lastMessageId, rewind }: StartInput): Start {
  if (lastEventId) return parseId("Last-Event-ID", lastEventId);
  if (lastMessageId) return parseId("last_message_id", lastMessageId);
  if (rewind) return parseRewind(rewind);
  return { kind: "live" };
}

function parseId(name: string, text: string): Start {
  if (text === "start") return { kind: "oldest" };
  const offset = parseOffset(text);
  if (offset === undefined) {
    throw new ChanctlError(
      "malformed",
      `\`${name}\` must be the id of a message or \`start\`, got \`${clip(text)}\``,
    );
  }
  return { kind: "after", offset };
}

function parseRewind(text: string): Start {
  if (/^\d{1,9}$/.test(text)) return { kind: "last-messages", count: Number(text) };
  const durationMs = parseDurationMs(text);
  if (durationMs === undefined) {
    throw new ChanctlError(
      "malformed",
      `\`rewind\` must be a number of messages (\`50\`) or a duration (\`10m\`), got \`${clip(text)}\``,
    );
  }
  return { kind: "last-duration", durationMs };
}
