import { ChanctlError } from "../../shared/errors.ts";
import { clip } from "../../shared/clip.ts";

const MAX_PATH_LENGTH = 1_024;
/**
 * Control characters: nobody means them, and they forge lines of a log (CWE-117). Lone surrogates: JSON can hold them,
 * UTF-8 cannot.
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u;

/**
 * Brings the path of a stream to its one form: each segment decoded once and written anew.
 *
 * @param text a path below the mount, without a slash at its beginning.
 * @throws {ChanctlError} `malformed` for an empty segment, `.`, `..` and what does not decode to text.
 */
export function canonicalizePath(text: string): string {
  if (text.length > MAX_PATH_LENGTH)
    throw new ChanctlError("malformed", `the stream's path must have at most ${MAX_PATH_LENGTH} characters`);
  return text.split("/").map(canonicalizeSegment).join("/");
}

function canonicalizeSegment(segment: string): string {
  const text = decodeSegment(segment);
  if (text === "" || text === "." || text === ".." || FORBIDDEN.test(text))
    throw new ChanctlError("malformed", `the stream's path must not have the segment \`${clip(segment)}\``);
  return encodeURIComponent(text).replaceAll("%3D", "="); // as in the path of a channel's stream: `room=lobby`
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new ChanctlError(
      "malformed",
      `the segment \`${clip(segment)}\` of the stream's path is not UTF-8`,
      { cause },
    );
  }
}
