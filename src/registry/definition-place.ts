import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeFrame } from "../platform/code-frame.ts";

/** Where a file says what its channel is: the default export, or the first brace of a `.json` file. */
const BEGINNING = /^\s*(?:export\s+default|module\.exports)\b|^\s*\{/m;

/**
 * Points at the definition of a file whose meaning is wrong: its place, the message and a code frame.
 *
 * @param file relative to `root`.
 */
export function placeDefinition(message: string, { root, file }: { root: string; file: string }): string {
  const source = read(join(root, file));
  const found = source === undefined ? undefined : BEGINNING.exec(source);
  if (source === undefined || found === null || found === undefined) return `${file}: ${message}`;
  const before = source.slice(0, found.index + found[0].length - found[0].trimStart().length);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return `${file}:${line}:${column}: ${message}\n\n${codeFrame(source, { line, column })}`;
}

/** A file that has gone since it was loaded has no place to show. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
