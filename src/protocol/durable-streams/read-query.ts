import { clip } from "../../shared/clip.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { parseOffset } from "../offset.ts";
import type { Offset } from "../offset.ts";

/** Where a read of a stream begins (PROTOCOL.md, section 8). */
export type ReadStart =
  | { readonly kind: "beginning" }
  | { readonly kind: "now" }
  | { readonly kind: "after"; readonly offset: Offset };

/** What a GET of a stream asks for. */
export interface ReadQuery {
  readonly start: ReadStart;
  /** How the reader follows what comes later; `undefined`: it does not. */
  readonly live: "long-poll" | "sse" | undefined;
  /** The `Stream-Cursor` of the answer before, sent back. */
  readonly cursor: string | undefined;
}

const MAX_CURSOR_LENGTH = 64;

/**
 * Reads the query of a GET. Unknown parameters are ignored (section 11.1).
 *
 * @throws {ChanctlError} `malformed` naming the parameter, what it may be and what came.
 */
export function parseReadQuery(query: URLSearchParams): ReadQuery {
  const live = parseLive(once(query, "live"));
  const offset = once(query, "offset");
  if (offset === undefined && live !== undefined) {
    throw new ChanctlError("malformed", `\`live=${live}\` needs an \`offset\``, {
      hint: "add `offset=-1` to read from the beginning, or `offset=now` for what comes next",
    });
  }
  const cursor = once(query, "cursor");
  if (cursor !== undefined && cursor.length > MAX_CURSOR_LENGTH) {
    throw new ChanctlError("malformed", `\`cursor\` must have at most ${MAX_CURSOR_LENGTH} characters`);
  }
  return { start: offset === undefined ? { kind: "beginning" } : parseReadStart(offset), live, cursor };
}

function parseReadStart(text: string): ReadStart {
  if (text === "-1") return { kind: "beginning" };
  if (text === "now") return { kind: "now" };
  return { kind: "after", offset: parseOffsetToken(text, "offset") };
}

/** @throws {ChanctlError} `malformed` if the text is no offset. */
export function parseOffsetToken(text: string, name: string): Offset {
  const offset = parseOffset(text);
  if (offset !== undefined) return offset;
  throw new ChanctlError(
    "malformed",
    `\`${name}\` must be an offset that the server gave, got \`${clip(text)}\``,
    {
      hint: "send the last `Stream-Next-Offset` as it came; `-1` is the beginning, `now` the tail",
    },
  );
}

function parseLive(text: string | undefined): ReadQuery["live"] {
  if (text === undefined || text === "long-poll" || text === "sse") return text;
  throw new ChanctlError("malformed", `\`live\` must be \`long-poll\` or \`sse\`, got \`${clip(text)}\``);
}

function once(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length <= 1) return values[0];
  throw new ChanctlError("malformed", `\`${name}\` must be given once, got it ${values.length} times`);
}
