import type { ChannelDefinition, JsonSchema } from "../protocol/definition.ts";
import type { Params } from "../protocol/stream-path.ts";
import { clip } from "../shared/clip.ts";
import { describeValue } from "../shared/describe-value.ts";
import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";
import { coerceParam, scalarTypes } from "./coerce-param.ts";
import type { ScalarType } from "./coerce-param.ts";
import { formatPlace } from "./schema-check.ts";
import type { CompileSchema, SchemaCheck, SchemaProblem } from "./schema-check.ts";

interface Param {
  readonly types: readonly ScalarType[];
  readonly default: unknown;
}

interface ChannelOptions {
  readonly compileSchema: CompileSchema;
  readonly limits: Pick<Limits, "maxParamsBytes">;
}

/** A channel as it is defined now: its definition and the checks made from it. Never changes. */
export class Channel {
  readonly definition: ChannelDefinition;
  readonly #params: ReadonlyMap<string, Param>;
  readonly #checkParams: SchemaCheck;
  readonly #checkData: ReadonlyMap<string, SchemaCheck> | undefined;
  readonly #limits: Pick<Limits, "maxParamsBytes">;

  /** @throws {ChanctlError} `definition_invalid` if a schema cannot be checked against. */
  constructor(definition: ChannelDefinition, { compileSchema, limits }: ChannelOptions) {
    const { paramsSchema, messages } = definition;
    this.definition = definition;
    this.#limits = limits; // read at each use: a changed config changes it
    this.#params = readParams(paramsSchema);
    this.#checkParams = compileSchema(paramsSchema, "paramsSchema");
    assertDefaultsFit(this.#params, compileSchema({ ...paramsSchema, required: [] }, "paramsSchema"));
    this.#checkData =
      messages &&
      new Map(
        Object.entries(messages).map(([type, schema]) => [type, compileSchema(schema, `messages.${type}`)]),
      );
  }

  get name(): string {
    return this.definition.name;
  }

  /**
   * Reads the params of a URL: coerced to the types of the schema, defaults filled in, then validated.
   *
   * @param query without the parameters that mean something to the broker (`RESERVED_PARAMS`).
   * @throws {ChanctlError} `params_invalid` naming the param and what it must be.
   */
  coerceParams(query: URLSearchParams): Params {
    assertSize(query, this.#limits.maxParamsBytes);
    const values = new Map<string, unknown>();
    for (const [name, text] of query) {
      const param = this.#params.get(name);
      if (param === undefined) throw this.#unknownParam(name);
      if (values.has(name)) throw paramsInvalid(`the param \`${name}\` must be given once, got it twice`);
      const value = coerceParam(text, param.types);
      if (value === undefined) {
        throw paramsInvalid(
          `the param \`${name}\` must be ${param.types.join(" or ")}, got \`${clip(text)}\``,
        );
      }
      values.set(name, value);
    }
    for (const [name, param] of this.#params) {
      if (param.default !== undefined && !values.has(name)) values.set(name, param.default);
    }
    const params: unknown = Object.fromEntries(values);
    const problem = this.#checkParams(params);
    if (problem !== undefined) throw paramsInvalid(describeParams(problem));
    return params as Params;
  }

  /**
   * Checks a message against the schema of its type. Without `messages` in the definition anything goes.
   *
   * @throws {ChanctlError} `message_invalid` naming the unknown type, or the place in the data; what came there is
   *   its field `got`.
   */
  checkMessage({ type, data }: { readonly type: string; readonly data: unknown }): void {
    if (this.#checkData === undefined) return;
    const check = this.#checkData.get(type);
    if (check === undefined) {
      throw new ChanctlError(
        "message_invalid",
        `\`type\` must be a message type of \`${this.name}\`, got \`${clip(type)}\``,
        { hint: suggestion(type, [...this.#checkData.keys()]) ?? "the channel has no message types" },
      );
    }
    const problem = check(data);
    if (problem === undefined) return;
    // Not in the message: the log tells it, too (CWE-532).
    const fields = problem.got === undefined ? {} : { got: describeValue(problem.got) };
    throw new ChanctlError("message_invalid", `${formatPlace("data", problem.path)} ${problem.text}`, {
      fields,
    });
  }

  /** Whether messages may be of this type, whatever their data. */
  hasType(type: string): boolean {
    return this.#checkData?.has(type) ?? true;
  }

  #unknownParam(name: string): ChanctlError {
    return paramsInvalid(
      `\`${this.name}\` has no param \`${clip(name)}\``,
      suggestion(name, [...this.#params.keys()]) ?? `\`${this.name}\` has no params`,
    );
  }
}

function readParams({ properties }: JsonSchema): Map<string, Param> {
  const schemas = Object.entries((properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  return new Map(
    schemas.map(([name, schema]) => {
      const types = scalarTypes(schema);
      if (types.length > 0) return [name, { types, default: schema["default"] }];
      throw new ChanctlError(
        "definition_invalid",
        `the param \`${name}\` must be of string, integer, number or boolean, got \`${JSON.stringify(schema)}\``,
        { hint: `${name}: { type: "string" }`, fields: { valueAt: `paramsSchema.${name}` } },
      );
    }),
  );
}

function assertDefaultsFit(params: ReadonlyMap<string, Param>, check: SchemaCheck): void {
  const defaults = [...params].flatMap(([name, param]) =>
    param.default === undefined ? [] : [[name, param.default]],
  );
  const problem = check(Object.fromEntries(defaults));
  if (problem === undefined) return;
  const [name = ""] = problem.path;
  throw new ChanctlError("definition_invalid", `a default does not fit: ${describeParams(problem)}`, {
    hint: "correct it, or leave `default` out",
    fields: { valueAt: `paramsSchema.${name}` },
  });
}

function assertSize(query: URLSearchParams, maxParamsBytes: number): void {
  let bytes = 0;
  for (const [name, text] of query) bytes += Buffer.byteLength(name) + Buffer.byteLength(text);
  if (bytes <= maxParamsBytes) return;
  throw new ChanctlError(
    "params_invalid",
    `the params must have at most ${maxParamsBytes} bytes (\`limits.maxParamsBytes\`), got ${bytes}`,
    { limit: "maxParamsBytes" },
  );
}

function describeParams({ path, text, missing, got }: SchemaProblem): string {
  if (missing !== undefined && path.length === 0) return `the param \`${missing}\` is missing`;
  if (path.length === 0) return `the params ${text}`;
  const came = got === undefined ? "" : `, got ${describeValue(got)}`;
  return `the param \`${path.join(".")}\` ${text}${came}`;
}

function suggestion(typed: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const near = didYouMean(typed, names);
  return near === undefined
    ? `there are ${names.map((name) => `\`${name}\``).join(", ")}`
    : `did you mean \`${near}\`?`;
}

function paramsInvalid(message: string, hint?: string): ChanctlError {
  return new ChanctlError("params_invalid", message, hint === undefined ? {} : { hint });
}
