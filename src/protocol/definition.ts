import { describeValue } from "../shared/describe-value.ts";
import { ChanctlError } from "../shared/errors.ts";
import { didYouMean } from "../shared/did-you-mean.ts";
import { LIFECYCLE_KEYS, resolveLifecycle } from "../shared/lifecycle.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";

/** `sse`: clients only read. `ws`: clients may also publish. */
export type Transport = "sse" | "ws";

/** A JSON Schema, as plain JSON. TypeBox objects are JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What of a request the app gets to see when it is asked about a caller. */
export interface AuthSource {
  /** A request header, in lower case. */
  readonly headerName?: string;
  readonly cookieName?: string;
}

/** The static part of a channel's definition: all that the broker needs to know of it. */
export interface ChannelDefinition {
  readonly name: string;
  readonly transport: Transport;
  /** Schema of the params, an object schema whose properties are the params. */
  readonly paramsSchema: JsonSchema;
  /** Schema of `data` by message type; absent where any type and data are accepted. */
  readonly messages?: Readonly<Record<string, JsonSchema>>;
  readonly auth?: AuthSource;
  /** Whether anyone may read (and, on `ws`, publish) without the app being asked. */
  readonly public: boolean;
  /** Whether the app wants to see each client's message before it is stored. */
  readonly onPublish: boolean;
  readonly lifecycle: Lifecycle;
}

/** Query parameters that mean something to the broker, so no param may have their name. */
const RESERVED_PARAMS: ReadonlySet<string> = new Set([
  "last_message_id",
  "rewind",
  "token",
  "offset",
  "live",
  "cursor",
  "signed",
  "jid",
]);

/** Keys of a definition file; `verify` and `onPublish` are functions in TypeScript and booleans in JSON. */
const DEFINITION_KEYS: readonly string[] = [
  "$schema", // names the schema that an editor checks a JSON definition with
  "transport",
  "paramsSchema",
  "messages",
  "auth",
  "public",
  "verify",
  "onPublish",
  ...LIFECYCLE_KEYS,
];

/**
 * Reads the static part of a definition: what a definition file's default export, or a `.json` definition, says.
 *
 * @throws {ChanctlError} `definition_invalid` naming the key, what was expected and what came; `fields` tells an
 *   unknown `key`, or the key whose value is wrong: `valueAt`.
 */
export function parseDefinition(name: string, value: unknown): ChannelDefinition {
  if (!isRecord(value))
    throw invalid(`a definition must be an object, got ${describeValue(value)}`, {
      hint: '{ "public": true }     or `"auth"` in its place, where the app decides who may',
    });
  for (const key of Object.keys(value)) {
    if (DEFINITION_KEYS.includes(key)) continue;
    throw new ChanctlError("definition_invalid", `unknown key \`${key}\``, {
      hint: hintFor(key),
      fields: { key },
    });
  }
  const auth = parseAuth(value["auth"]);
  const isPublic = parseFlag("public", value["public"]);
  const hasVerify = parseFlag("verify", value["verify"]);
  const messages = parseMessages(value["messages"]);
  const definition = {
    name,
    transport: parseTransport(value["transport"]),
    paramsSchema: parseParamsSchema(value["paramsSchema"]),
    ...(messages === undefined ? {} : { messages }),
    ...(auth === undefined ? {} : { auth }),
    public: isPublic,
    onPublish: parseFlag("onPublish", value["onPublish"]),
    lifecycle: resolveLifecycle(value),
  };
  // Last: a value that is wrong is told of before one that is missing.
  if (isPublic && (auth !== undefined || hasVerify)) {
    throw invalid("`public: true` and `auth` or `verify` exclude each other", {
      valueAt: "public",
      hint: "remove one of them",
    });
  }
  if (!isPublic && auth === undefined && !hasVerify) {
    throw invalid("the channel says neither who may read it nor that anyone may", {
      hint: "add `verify` and `auth`, or `public: true`",
    });
  }
  return definition;
}

/** The key that was meant, or those that there are. */
function hintFor(key: string): string {
  if (key === "lifecycle") return `its keys stand beside the others: ${LIFECYCLE_KEYS.join(", ")}`;
  const near = didYouMean(key, DEFINITION_KEYS);
  return near === undefined ? `there are ${DEFINITION_KEYS.join(", ")}` : `did you mean \`${near}\`?`;
}

function parseTransport(value: unknown): Transport {
  if (value === undefined || value === "sse" || value === "ws") return value ?? "sse";
  throw invalid(`\`transport\` must be "sse" or "ws", got ${describeValue(value)}`, {
    valueAt: "transport",
    hint: 'transport: "ws"     clients publish too; "sse": they only read',
  });
}

/** A function counts as `true`: what a definition has as code, the broker only needs to know of. */
function parseFlag(key: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "function") return true;
  throw invalid(`\`${key}\` must be true or false, got ${describeValue(value)}`, {
    valueAt: key,
    hint: `${key}: true     or leave it out`,
  });
}

function parseAuth(value: unknown): AuthSource | undefined {
  if (value === undefined) return undefined;
  const valueAt = "auth";
  const hint = 'auth: { cookieName: "session" }';
  if (!isRecord(value))
    throw invalid(
      `\`auth\` must be an object with \`headerName\` or \`cookieName\`, got ${describeValue(value)}`,
      { valueAt, hint },
    );
  const headerName = parseName("auth.headerName", value["headerName"])?.toLowerCase();
  const cookieName = parseName("auth.cookieName", value["cookieName"]);
  if (headerName === undefined && cookieName === undefined) {
    throw invalid("`auth` must name a header or a cookie", { valueAt, hint });
  }
  return {
    ...(headerName === undefined ? {} : { headerName }),
    ...(cookieName === undefined ? {} : { cookieName }),
  };
}

/** A token as HTTP has it for header and cookie names (RFC 9110, section 5.6.2). */
function parseName(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)) return value;
  throw invalid(`\`${key}\` must be a header or cookie name, got ${describeValue(value)}`, {
    valueAt: key,
    hint: key.endsWith("headerName") ? 'headerName: "authorization"' : 'cookieName: "session"',
  });
}

function parseMessages(value: unknown): Readonly<Record<string, JsonSchema>> | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value))
    throw invalid(
      `\`messages\` must be an object of message types, each with its JSON Schema, got ${describeValue(value)}`,
      {
        valueAt: "messages",
        hint: 'messages: { message: { type: "object" } }',
      },
    );
  for (const [type, schema] of Object.entries(value)) {
    if (!isRecord(schema))
      throw invalid(`\`messages.${type}\` must be a JSON Schema, got ${describeValue(schema)}`, {
        valueAt: `messages.${type}`,
        hint: `${type}: {}     takes any data`,
      });
  }
  return value as Readonly<Record<string, JsonSchema>>;
}

const NO_PARAMS: JsonSchema = { type: "object", properties: {}, additionalProperties: false };
const PARAM_TYPES = new Set(["string", "integer", "number", "boolean"]);

function parseParamsSchema(value: unknown): JsonSchema {
  if (value === undefined) return NO_PARAMS;
  if (!isRecord(value) || value["type"] !== "object" || !isRecord(value["properties"] ?? {})) {
    throw invalid(
      `\`paramsSchema\` must be a JSON Schema of \`type: "object"\` with \`properties\`, got ${describeValue(value)}`,
      {
        valueAt: "paramsSchema",
        hint: 'paramsSchema: { type: "object", properties: { room: { type: "string" } } }',
      },
    );
  }
  const properties = (value["properties"] ?? {}) as Readonly<Record<string, unknown>>;
  for (const [param, schema] of Object.entries(properties)) {
    const valueAt = `paramsSchema.${param}`;
    const hint = "give it another name, such as `room`";
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(param)) {
      const message = `the param \`${param}\` must be letters, digits and \`_\`, not beginning with a digit`;
      throw invalid(message, { valueAt, hint });
    }
    if (RESERVED_PARAMS.has(param))
      throw invalid(`the param name \`${param}\` is reserved`, { valueAt, hint });
    if (!isRecord(schema) || !isParamSchema(schema)) {
      throw invalid(`the param \`${param}\` must have the type string, integer, number or boolean`, {
        valueAt,
        hint: `${param}: { type: "string" }`,
      });
    }
  }
  return { ...value, properties, additionalProperties: false };
}

/** A param is one text in a URL, so its schema must be of one scalar type, or list scalar values. */
function isParamSchema(schema: Readonly<Record<string, unknown>>): boolean {
  if (typeof schema["type"] === "string") return PARAM_TYPES.has(schema["type"]);
  return Array.isArray(schema["enum"]) || "const" in schema || Array.isArray(schema["anyOf"]);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Mistake {
  /** The key whose value is wrong: `auth.headerName`. Absent: it is about the whole. */
  readonly valueAt?: string;
  readonly hint: string;
}

function invalid(message: string, { valueAt, hint }: Mistake): ChanctlError {
  return new ChanctlError("definition_invalid", message, {
    hint,
    ...(valueAt === undefined ? {} : { fields: { valueAt } }),
  });
}
