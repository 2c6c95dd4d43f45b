import { ChanctlError, messageOf } from "../../shared/errors.ts";

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What `init` reads of a package.json. */
export interface PackageJson {
  /** All of it, in its order. */
  readonly fields: JsonObject;
  readonly scripts: Readonly<Record<string, string>>;
  /** All dependencies, whatever group they are in: name → version. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Reads a package.json.
 *
 * @throws {ChanctlError} `config_invalid` if it is not a JSON object.
 */
export function parsePackageJson(text: string): PackageJson {
  let fields: Json;
  try {
    fields = JSON.parse(text.replace(/^\uFEFF/, "")) as Json;
  } catch (cause) {
    const hint = "correct package.json and save it";
    throw new ChanctlError("config_invalid", `package.json is not JSON: ${messageOf(cause)}`, {
      cause,
      hint,
    });
  }
  if (!isJsonObject(fields)) {
    const hint = `npm init     writes one, once that is out of its place`;
    throw new ChanctlError("config_invalid", "package.json must hold an object", { hint });
  }
  const groups = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  const dependencies = Object.assign({}, ...groups.map((group) => textsOf(fields[group]))) as Record<
    string,
    string
  >;
  return { fields, scripts: textsOf(fields["scripts"]), dependencies };
}

/** How entries are added. */
export interface EntriesOptions {
  /** Top-level keys whose value is replaced where it is another. @default none */
  readonly replace?: readonly string[];
}

/**
 * Adds what is missing and leaves what is there; key order and indentation stay as they are.
 *
 * @returns The new text, and the paths of the added keys: `scripts.dev`.
 */
export function addEntries(
  text: string,
  wanted: JsonObject,
  { replace = [] }: EntriesOptions = {},
): { readonly text: string; readonly added: readonly string[] } {
  const current = parsePackageJson(text).fields;
  const kept = Object.fromEntries(
    Object.entries(current).filter(([key, value]) => !replace.includes(key) || value === wanted[key]),
  );
  const added: string[] = [];
  const merged = merge(kept, wanted, (path) => added.push(path));
  return { text: added.length === 0 ? text : format(merged, text), added };
}

function merge(
  current: JsonObject,
  wanted: JsonObject,
  onAdded: (path: string) => void,
  prefix = "",
): JsonObject {
  const merged: Record<string, Json> = { ...current };
  for (const [key, value] of Object.entries(wanted)) {
    const existing = current[key];
    if (isJsonObject(value)) {
      if (existing !== undefined && !isJsonObject(existing)) continue;
      const inner = merge(existing ?? {}, value, onAdded, `${prefix}${key}.`);
      if (Object.keys(inner).length > 0) merged[key] = inner;
    } else if (existing === undefined) {
      merged[key] = value;
      onAdded(prefix + key);
    }
  }
  return merged;
}

function format(fields: JsonObject, like: string): string {
  const indent = /^\s*\{\r?\n([ \t]+)/.exec(like)?.[1] ?? "  ";
  return `${JSON.stringify(fields, undefined, indent)}\n`;
}

/** The entries of an object whose values are texts; none where it is no object. */
export function textsOf(value: Json | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
