import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeFrame } from "../platform/code-frame.ts";

/** Where a file says what its channel is: the default export, or the first brace of a `.json` file. */
const BEGINNING = /^\s*(?:export\s+default|module\.exports)\b|^\s*\{/m;

interface PlaceOptions {
  readonly root: string;
  /** Relative to `root`. */
  readonly file: string;
  /** The key of the definition that is wrong; pointed at where it stands once. */
  readonly key?: string;
}

/** Points at the definition of a file whose meaning is wrong: its place, the message and a code frame. */
export function placeDefinition(message: string, { root, file, key }: PlaceOptions): string {
  const source = read(join(root, file));
  const found = source === undefined ? undefined : BEGINNING.exec(source);
  if (source === undefined || found === null || found === undefined) return `${file}: ${message}`;
  const start = found.index + found[0].length - found[0].trimStart().length;
  const at = (key === undefined ? undefined : findKey(source, { key, from: start })) ?? start;
  const before = source.slice(0, at);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  const length = at === start ? 1 : (key?.length ?? 1);
  return `${file}:${line}:${column}: ${message}\n\n${codeFrame(source, { line, column, length })}`;
}

/** Where a key is written: `undefined` if that may be at several places, or behind a spread or a variable. */
function findKey(
  source: string,
  { key, from }: { readonly key: string; readonly from: number },
): number | undefined {
  const escaped = key.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
  const written = new RegExp(`(?<=[{,\\n]\\s*["']?)${escaped}(?=["']?\\s*[:(,}])`, "g");
  const [first, ...others] = [...source.slice(from).matchAll(written)];
  return first === undefined || others.length > 0 ? undefined : from + first.index;
}

/** A file that has gone since it was loaded has no place to show. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
