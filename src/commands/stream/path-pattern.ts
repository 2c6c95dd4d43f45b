import { encodePath } from "./place.ts";

/** Which paths a pattern means. */
export interface PathPattern {
  /** What they all begin with; the server brings it to its own form. */
  readonly prefix: string;
  readonly matches: (path: string) => boolean;
}

/**
 * Reads a pattern over paths: `*` is anything within a segment, `**` any number of segments, none too. One without
 * a star is the stream of that path and all below it.
 *
 * @throws {ChanctlError} `usage` if it is no path.
 */
export function parsePathPattern(text: string): PathPattern {
  const path = encodePath(text.replace(/\/$/, ""));
  const segments = (path.includes("*") ? path : `${path}/**`).split("/").map(decode);
  const regex = new RegExp(`^${segments.map(toRegex).join("")}$`, "u");
  return {
    prefix: path.split("*", 1)[0]?.replace(/\/$/, "") ?? "",
    matches: (name) => regex.test(`/${name.split("/").map(decode).join("/")}`),
  };
}

/** A segment with the slash before it. */
function toRegex(segment: string): string {
  if (segment === "**") return "(?:/[^/]+)*";
  return `/${segment.split("*").map(escape).join("[^/]*")}`;
}

function escape(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // no text, and so no stream: the pattern matches nothing
  }
}
