import type { JsonSchema } from "../protocol/definition.ts";

/** The types that a param's text may become, in the order in which they are tried. */
const SCALARS = ["boolean", "integer", "number", "string"] as const;

/** A type that a param may have. */
export type ScalarType = (typeof SCALARS)[number];

type ScalarValue = string | number | boolean;

const JSON_INTEGER = /^(?:0|-?[1-9]\d*)$/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const COERCIONS: Readonly<Record<ScalarType, (text: string) => ScalarValue | undefined>> = {
  boolean: (text) => text === "true" || (text === "false" ? false : undefined),
  integer: (text) =>
    JSON_INTEGER.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined,
  number: (text) => (JSON_NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined),
  string: (text) => text,
};

/**
 * The types that a param's schema allows: those of `type`, or of the values that `const`, `enum` or the branches
 * of a union list.
 */
export function scalarTypes(schema: JsonSchema): readonly ScalarType[] {
  const allowed = new Set(listTypes(schema));
  return SCALARS.filter((type) => allowed.has(type));
}

function listTypes(schema: JsonSchema): unknown[] {
  const { type, anyOf } = schema;
  if (type !== undefined) return Array.isArray(type) ? type : [type];
  if ("const" in schema) return [typeof schema["const"]];
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => typeof value);
  return Array.isArray(anyOf) ? anyOf.filter(isSchema).flatMap(listTypes) : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}

/**
 * Turns a param's text into the first of its types that it is exactly: `7` is an integer, ` 7`, `07`, `7.0`,
 * `1e3` and `0x10` are not. Numbers are as JSON writes them.
 *
 * @returns `undefined` if it is none of them.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-6
 */
export function coerceParam(text: string, types: readonly ScalarType[]): ScalarValue | undefined {
  for (const type of types) {
    const value = COERCIONS[type](text);
    if (value !== undefined) return value;
  }
  return undefined;
}
