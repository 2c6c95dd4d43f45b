import { ChanctlError } from "../shared/errors.ts";

/** The values of a channel's params after coercion. */
export type Params = Readonly<Record<string, string | number | boolean>>;

/**
 * The path of a channel's stream: its name, then its params, keys sorted: `chat/room=lobby`.
 *
 * Each distinct set of params is a stream of its own; this is its one canonical name.
 */
export function toStreamPath(channel: string, params: Params): string {
  const keys = Object.keys(params).sort();
  return [channel, ...keys.map((key) => `${key}=${encodeURIComponent(String(params[key]))}`)].join("/");
}

/**
 * Brings a path from a URL to its canonical form: split at `/`, each segment decoded once and encoded anew,
 * the `=` between a param and its value kept.
 *
 * @throws {ChanctlError} `malformed` for empty segments, `.`, `..` (CWE-22) and broken percent-encoding.
 */
export function canonicalizeStreamPath(path: string): string {
  return path.split("/").map(canonicalizeSegment).join("/");
}

function canonicalizeSegment(segment: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw new ChanctlError("malformed", `the path segment \`${segment}\` is not valid percent-encoding`, {
      cause,
    });
  }
  if (decoded === "" || decoded === "." || decoded === "..") {
    throw new ChanctlError("malformed", `a stream's path cannot have the segment \`${decoded}\``);
  }
  const equals = decoded.indexOf("=");
  if (equals === -1) return encodeURIComponent(decoded);
  return `${encodeURIComponent(decoded.slice(0, equals))}=${encodeURIComponent(decoded.slice(equals + 1))}`;
}
