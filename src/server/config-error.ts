import { basename } from "node:path";

import { codeFrame } from "../platform/code-frame.ts";
import type { Place } from "../platform/code-frame.ts";
import { ChanctlError } from "../shared/errors.ts";
import { placeOfKey } from "./key-place.ts";

/** A config's file, as far as its errors show it. */
interface ConfigText {
  readonly path: string;
  readonly source: string;
}

interface Mistake {
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
export function configError(config: ConfigText, { message, key, hint }: Mistake): ChanctlError {
  const place = key === undefined ? placeOfWhole(config.source) : placeOfKey(config.source, key);
  const file = basename(config.path);
  const options = hint === undefined ? {} : { hint };
  if (place === undefined) return new ChanctlError("config_invalid", `${file}: ${message}`, options);
  const frame = codeFrame(withoutSecrets(config.source), place);
  return new ChanctlError(
    "config_invalid",
    `${file}:${place.line}:${place.column}: ${message}\n\n${frame}`,
    options,
  );
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
