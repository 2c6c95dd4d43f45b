import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeFrame } from "../platform/code-frame.ts";

/** Where a file says what its channel is: the default export, or the brace that a `.json` file begins with. */
const BEGINNING = /^\s*(?:export\s+default|module\.exports|exports\.default)\b/m;
const JSON_BEGINNING = /^\s*\{/;

interface PlaceOptions {
  readonly root: string;
  /** Relative to `root`. */
  readonly file: string;
  /** A key that is itself wrong. */
  readonly key: string | undefined;
  /** The key whose value is wrong: `auth.headerName`. */
  readonly valueAt: string | undefined;
}

/** Points at what of a file is wrong: its place, the message and a code frame. */
export function placeDefinition(message: string, { root, file, key, valueAt }: PlaceOptions): string {
  const source = read(join(root, file));
  const found = source === undefined ? undefined : (BEGINNING.exec(source) ?? JSON_BEGINNING.exec(source));
  if (source === undefined || found === null || found === undefined) return `${file}: ${message}`;
  const from = found.index + found[0].length - found[0].trimStart().length;
  const { at, length } = (key === undefined ? undefined : findKey(source, { key, from })) ??
    (valueAt === undefined ? undefined : findValue(source, { key: valueAt, from })) ?? {
      at: from,
      length: 1,
    };
  const before = source.slice(0, at);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return `${file}:${line}:${column}: ${message}\n\n${codeFrame(source, { line, column, length })}`;
}

interface Wanted {
  readonly key: string;
  /** Where the definition begins. */
  readonly from: number;
}

interface Span {
  readonly at: number;
  readonly length: number;
}

/** Where a key is written: `undefined` if that may be at several places, or behind a spread or a variable. */
function findKey(source: string, { key, from }: Wanted): Span | undefined {
  const escaped = key.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
  const written = new RegExp(`(?<=[{,\\n]\\s*["']?)${escaped}(?=["']?\\s*[:(,}])`, "g");
  const [first, ...others] = [...source.slice(from).matchAll(written)];
  return first === undefined || others.length > 0
    ? undefined
    : { at: from + first.index, length: key.length };
}

/** After a key: a text, a number or a name whole, of anything else its first character. */
const VALUE = /["']?\s*:\s*("[^"\n]*"|'[^'\n]*'|[\w$.-]+|\S)/y;

/** Where the value of a key begins, or of the key around it; `undefined` where neither can be told. */
function findValue(source: string, { key, from }: Wanted): Span | undefined {
  const dot = key.indexOf(".");
  const keys = dot === -1 ? [key] : [key.slice(dot + 1), key.slice(0, dot)];
  for (const name of keys) {
    const place = findKey(source, { key: name, from });
    if (place === undefined) continue;
    VALUE.lastIndex = place.at + place.length;
    const [text = "", value = ""] = VALUE.exec(source) ?? [];
    return value === ""
      ? place
      : { at: place.at + place.length + text.length - value.length, length: value.length };
  }
  return undefined;
}

/** A file that has gone since it was loaded has no place to show. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
