import { basename } from "node:path";

import { codeFrame } from "../platform/code-frame.ts";
import type { FrameOptions, Place } from "../platform/code-frame.ts";
import { ChanctlError } from "../shared/errors.ts";
import { placeOfKey } from "./key-place.ts";

/** What the text does not show comes last. */
const NOWHERE: Place = { line: Number.MAX_SAFE_INTEGER, column: 1 };
const FIX_COLUMNS = 28;

/** A config's file, as far as its errors show it. */
interface ConfigText {
  readonly path: string;
  readonly source: string;
}

/** What is wrong in a config. */
export interface Mistake {
  /** What must be otherwise: "`port` must be …, got …". */
  readonly message: string;
  /** The key it is about; absent: the config as a whole. */
  readonly key?: string;
  readonly hint?: string | undefined;
}

/**
 * An error of the config in the form that definitions have: `chanctl.config.ts:5:3: …`, and a code frame. Where the
 * text does not show which place it is, the file's name alone.
 */
export function configError(config: ConfigText, mistake: Mistake): ChanctlError {
  return configErrors(config, [mistake]);
}

/**
 * One error of all mistakes, in the order of the file. Of several each is shown by its line alone, and its fix names
 * the key that it is for.
 */
export function configErrors(config: ConfigText, mistakes: readonly Mistake[]): ChanctlError {
  const isOne = mistakes.length === 1;
  const placed = mistakes
    .map((mistake) => ({ ...mistake, place: placeOf(config, mistake) }))
    .toSorted(
      ({ place: a = NOWHERE }, { place: b = NOWHERE }) => a.line - b.line || a.column - b.column || 0,
    );
  const shown = { ...config, ...(isOne ? {} : { linesAround: 0 }) };
  const message = placed.map((mistake) => describe(mistake, shown)).join("\n\n");
  const fixes = placed.flatMap(({ hint, key }) => {
    if (hint === undefined) return [];
    return isOne ? hint : `${hint.padEnd(FIX_COLUMNS)}     for \`${key}\``;
  });
  return new ChanctlError("config_invalid", message, fixes.length === 0 ? {} : { hint: fixes.join("\n") });
}

function placeOf({ source }: ConfigText, { key }: Mistake): Place | undefined {
  return key === undefined ? placeOfWhole(source) : placeOfKey(source, key);
}

function describe(
  { message, place }: Mistake & { readonly place: Place | undefined },
  { path, source, ...around }: ConfigText & Pick<FrameOptions, "linesAround">,
): string {
  const file = basename(path);
  if (place === undefined) return `${file}: ${message}`;
  const frame = codeFrame(withoutSecrets(source), { ...place, ...around });
  return `${file}:${place.line}:${place.column}: ${message}\n\n${frame}`;
}

/** Where a config says what it is: its default export, else another, else its first character. */
function placeOfWhole(source: string): Place | undefined {
  const found =
    /^[ \t]*(?:export\s+default|module\.exports)\b/m.exec(source) ??
    /^[ \t]*export\b/m.exec(source) ??
    /\S/.exec(source);
  if (found === null) return undefined;
  const before = source.slice(0, found.index + found[0].length - found[0].trimStart().length);
  return { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
}

/** The lines around a mistake may hold a secret, and what is printed ends in the logs of a CI (CWE-532). */
function withoutSecrets(source: string): string {
  return source.replaceAll(
    /(secret["'`]?\s*:\s*)(["'`])(.*?)\2/gi,
    (_, key: string, quote: string, secret: string) => `${key}${quote}${"*".repeat(secret.length)}${quote}`,
  );
}
