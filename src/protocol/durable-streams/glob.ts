import { ChanctlError } from "../../shared/errors.ts";
import { canonicalizePath } from "./stream-path.ts";

/**
 * Brings a pattern to its one form: segments are as `canonicalizePath` writes them, but for the wildcards; a star that
 * is meant as itself is written `%2A`.
 *
 * @throws {ChanctlError} `malformed` for a star that is part of a segment, and as `canonicalizePath`.
 */
export function canonicalizePattern(text: string): string {
  return text.split("/").map(canonicalizePart).join("/");
}

function canonicalizePart(segment: string): string {
  if (segment === "*" || segment === "**") return segment;
  if (segment.includes("*"))
    throw new ChanctlError("malformed", "a `*` must be a whole segment; write `%2A` for the character");
  return canonicalizePath(segment).replaceAll("*", "%2A");
}

/**
 * Whether a pattern covers a path: `*` is one segment, `**` any number of them, none included. Both are canonical, as
 * `canonicalizePath` writes them; in a pattern, a star that is meant as itself is `%2A`, which no canonical path has.
 *
 * @see PROTOCOL.md, section 6.2
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchSegments({
    pattern: pattern.split("/"),
    path: path.split("/"),
    matches: (part, segment) => part === "*" || toLiteral(part) === segment,
  });
}

/** The segments of a pattern before its first wildcard: every path that it covers begins with them. */
export function literalPrefixOf(pattern: string): string {
  const segments = pattern.split("/");
  const wildcard = segments.findIndex((segment) => segment === "*" || segment === "**");
  return segments
    .slice(0, wildcard === -1 ? segments.length : wildcard)
    .map(toLiteral)
    .join("/");
}

/**
 * Whether a pattern covers all that another may ever match: what stands for one segment does not cover a `**`. Says no
 * where it cannot tell.
 */
export function coversPattern(pattern: string, other: string): boolean {
  return matchSegments({
    pattern: pattern.split("/"),
    path: other.split("/"),
    matches: (part, segment) => segment !== "**" && (part === "*" || part === segment),
  });
}

interface SegmentMatch {
  readonly pattern: readonly string[];
  readonly path: readonly string[];
  /** Whether a part of the pattern that is not `**` stands for a segment. */
  readonly matches: (part: string, segment: string | undefined) => boolean;
}

/** Row by row over the pattern, so that no pattern takes more than pattern × path steps (CWE-1333). */
function matchSegments({ pattern, path, matches }: SegmentMatch): boolean {
  let reached = [true, ...path.map(() => false)];
  for (const part of pattern) {
    const next = reached.map(() => false);
    for (let index = 0; index <= path.length; index += 1) {
      if (part === "**") next[index] = reached[index] === true || next[index - 1] === true;
      else next[index] = reached[index - 1] === true && matches(part, path[index - 1]);
    }
    reached = next;
  }
  return reached[path.length] === true;
}

function toLiteral(segment: string): string {
  return segment.replaceAll("%2A", "*");
}
