import { Ajv } from "ajv";
import type { ErrorObject, Options, ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

import type { JsonSchema } from "../protocol/definition.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";

/** What of a value does not fit its schema. */
export interface SchemaProblem {
  /** Where: the property names and indexes that lead there; empty for the value itself. */
  readonly path: readonly string[];
  /** What is wrong there, as the end of a sentence: `must be string`. */
  readonly text: string;
  /** The property that is missing there, if that is what is wrong. */
  readonly missing?: string;
  /** What came there; absent where it is there that is wrong, not what it is. */
  readonly got?: unknown;
}

/** Checks a value, which it does not change. */
export type SchemaCheck = (value: unknown) => SchemaProblem | undefined;

/** Makes a check of a schema; `place` names the schema in the error. */
export type CompileSchema = (schema: JsonSchema, place: string) => SchemaCheck;

// What ajv does not know is an error: an ignored keyword or format would let in what its author believes is
// refused. Schemas whose types follow from a neighbour or a parent, as TypeBox writes them, are fine.
const OPTIONS: Options = {
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  logger: false,
};

/** An Ajv keeps every schema it has compiled, and making one costs as much as some twenty of them. */
const SCHEMAS_PER_AJV = 200;

/** Makes a compiler of schemas: of draft 7, or 2020-12 where `$schema` says so. */
export function createSchemaCompiler(): CompileSchema {
  let draft7 = new Ajv(OPTIONS);
  let draft2020: Ajv2020 | undefined;
  let compiled = 0;
  return (schema, place) => {
    compiled += 1;
    if (compiled % SCHEMAS_PER_AJV === 0) {
      draft7 = new Ajv(OPTIONS);
      draft2020 = undefined;
    }
    const is2020 = String(schema["$schema"]).includes("2020-12");
    const validate = compile(is2020 ? (draft2020 ??= new Ajv2020(OPTIONS)) : draft7, schema, place);
    return (value) => {
      try {
        if (validate(value)) return undefined;
      } catch (thrown) {
        // A schema that refers to itself recurses as deep as the data, or without end (CWE-674).
        if (!(thrown instanceof RangeError)) throw thrown;
        return { path: [], text: "is nested deeper than its schema can be followed" };
      }
      const [error] = validate.errors ?? [];
      return error === undefined ? { path: [], text: "does not fit" } : toProblem(error, value);
    };
  };
}

function compile(ajv: Ajv | Ajv2020, schema: JsonSchema, place: string): ValidateFunction {
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    throw new ChanctlError("definition_invalid", `\`${place}\` is not a schema: ${messageOf(cause)}`, {
      cause,
      fields: { valueAt: place },
      hint: "JSON Schema, draft 7 (or 2020-12 by its `$schema`); `format` is not checked: use `pattern`",
    });
  } finally {
    // Two channels may use schemas of one `$id`. Not `addUsedSchema: false`: it cannot resolve `$ref: "#"`.
    ajv.removeSchema(schema);
  }
  // Such a check returns a promise, which would pass for "valid".
  if ("$async" in validate) {
    throw new ChanctlError("definition_invalid", `\`${place}\` must be a schema without \`$async\``, {
      fields: { valueAt: place },
      hint: "remove `$async`",
    });
  }
  return validate;
}

function toProblem({ instancePath, keyword, params, message }: ErrorObject, value: unknown): SchemaProblem {
  const path = instancePath.split("/").slice(1).map(unescapePointer);
  const text = message ?? `fails \`${keyword}\``;
  const got = path.reduce(memberOf, value);
  switch (keyword) {
    case "required":
      return { path, text, missing: String(params["missingProperty"]) };
    case "additionalProperties":
      return { path, text: `must not have the property \`${String(params["additionalProperty"])}\`` };
    case "enum":
      return { path, text: `must be one of ${JSON.stringify(params["allowedValues"])}`, got };
    case "const":
      return { path, text: `must be ${JSON.stringify(params["allowedValue"])}`, got };
    case "minLength":
      return { path, text: `must have at least ${characters(params["limit"])}`, got };
    case "maxLength":
      return { path, text: `must have at most ${characters(params["limit"])}`, got };
    default:
      return { path, text, got };
  }
}

function characters(count: unknown): string {
  return `${String(count)} character${count === 1 ? "" : "s"}`;
}

function memberOf(value: unknown, name: string): unknown {
  const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  return isThere ? Reflect.get(value, name) : undefined;
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-4 */
function unescapePointer(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Writes a place as JavaScript would: `data.items[0].text`. */
export function formatPlace(root: string, path: readonly string[]): string {
  return path.reduce((place, segment) => {
    if (/^\d+$/.test(segment)) return `${place}[${segment}]`;
    return /^[A-Za-z_$][\w$]*$/.test(segment)
      ? `${place}.${segment}`
      : `${place}[${JSON.stringify(segment)}]`;
  }, root);
}
