import { encodeOffset } from "../offset.ts";
import type { Offset } from "../offset.ts";

export interface TaggedRange {
  readonly from: Offset;
  readonly to: Offset;
  readonly isClosed: boolean;
}

/**
 * The entity tag of what a read returned. Offsets name the stream's incarnation, so a stream that was deleted and made
 * again never answers 304 to a tag of the old one; and it changes when the stream is closed (PROTOCOL.md, section 10.1).
 */
export function encodeEtag({ from, to, isClosed }: TaggedRange): string {
  return `"${encodeOffset(from)}:${encodeOffset(to)}${isClosed ? ":c" : ""}"`;
}

/** Whether an `If-None-Match` names the tag (RFC 9110, section 13.1.2: compared weakly). */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag || tag.trim() === "*");
}
