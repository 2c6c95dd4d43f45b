/**
 * Whether a pattern covers a path: `*` is one segment, `**` any number of them, none included. Both are canonical, as
 * `canonicalizePath` writes them; in a pattern, a star that is meant as itself is `%2A`, which no canonical path has.
 *
 * @see PROTOCOL.md, section 6.2
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchSegments(pattern.split("/"), path.split("/"));
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

/** Row by row over the pattern, so that no pattern takes more than pattern × path steps (CWE-1333). */
function matchSegments(pattern: readonly string[], path: readonly string[]): boolean {
  let reached = [true, ...path.map(() => false)];
  for (const part of pattern) {
    const next = reached.map(() => false);
    for (let index = 0; index <= path.length; index += 1) {
      if (part === "**") next[index] = reached[index] === true || next[index - 1] === true;
      else
        next[index] =
          index > 0 && reached[index - 1] === true && (part === "*" || toLiteral(part) === path[index - 1]);
    }
    reached = next;
  }
  return reached[path.length] === true;
}

function toLiteral(segment: string): string {
  return segment.replaceAll("%2A", "*");
}
