import { STREAM_OPERATIONS } from "../protocol/app-call.ts";
import type {
  AuthorizeRequest,
  AuthorizeStreamRequest,
  CallerFields,
  HeaderCredential,
  OnPublishRequest,
} from "../protocol/app-call.ts";
import type { Params } from "../protocol/stream-path.ts";
import { describeShape } from "../shared/describe-shape.ts";
import { ChanctlError } from "../shared/errors.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the broker's question whether a caller may.
 *
 * @throws {ChanctlError} `malformed` with the field, what was expected and what came.
 */
export function parseAuthorizeRequest(value: unknown): AuthorizeRequest {
  const fields = toFields(value);
  return {
    ...toCommonFields(fields),
    operation: oneOf(fields, "operation", ["subscribe", "publish"]),
    ...toCallerFields(fields),
  };
}

/** Whether the broker asks about a raw stream, and not about a channel. */
export function isStreamCall(value: unknown): boolean {
  return typeof value === "object" && value !== null && "stream" in value;
}

/**
 * Reads the broker's question whether a caller may do something with a raw stream.
 *
 * @throws {ChanctlError} `malformed` with the field, what was expected and what came.
 */
export function parseAuthorizeStreamRequest(value: unknown): AuthorizeStreamRequest {
  const fields = toFields(value);
  assertVersion(fields);
  return {
    version: 1,
    stream: text(fields, "stream"),
    operation: oneOf(fields, "operation", STREAM_OPERATIONS),
    transport: oneOf(fields, "transport", ["ds"]),
    ...toCallerFields(fields),
  };
}

/**
 * Reads the broker's question whether a client's message may be stored.
 *
 * @throws {ChanctlError} `malformed` with the field, what was expected and what came.
 */
export function parseOnPublishRequest(value: unknown): OnPublishRequest {
  const fields = toFields(value);
  const message = toFields(fields["message"], "message");
  return {
    ...toCommonFields(fields),
    ...optional("subject", optionalText(fields, "subject")),
    message: { type: text(message, "type"), data: message["data"] },
  };
}

function toCommonFields(
  fields: Fields,
): Pick<AuthorizeRequest, "version" | "channel" | "params" | "transport"> {
  assertVersion(fields);
  return {
    version: 1,
    channel: text(fields, "channel"),
    params: toFields(fields["params"], "params") as Params, // the broker has coerced and validated them
    transport: oneOf(fields, "transport", ["ws", "sse", "http", "ds"]),
  };
}

function assertVersion(fields: Fields): void {
  if (fields["version"] !== 1) throw unexpected("version", "1", fields["version"]);
}

function toCallerFields(fields: Fields): CallerFields {
  return {
    ...optional("header", toCredential(fields["header"])),
    ...optional("cookie", optionalText(fields, "cookie")),
    ...optional("origin", optionalText(fields, "origin")),
    ...optional("ip", optionalText(fields, "ip")),
    ...optional("userAgent", optionalText(fields, "userAgent")),
    ...optional("subject", optionalText(fields, "subject")),
  };
}

function toCredential(value: unknown): HeaderCredential | undefined {
  if (value === undefined) return undefined;
  const fields = toFields(value, "header");
  return { ...optional("scheme", optionalText(fields, "scheme")), value: text(fields, "value") };
}

function toFields(value: unknown, name = "the body"): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw unexpected(name, "an object", value);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw unexpected(name, "a text", value);
}

function optionalText(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : text(fields, name);
}

function oneOf<const Choice extends string>(
  fields: Fields,
  name: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((choice) => choice === fields[name]);
  if (choice === undefined) throw unexpected(name, choices.join(" or "), fields[name]);
  return choice;
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]: Value });
}

function unexpected(name: string, expected: string, came: unknown): ChanctlError {
  return new ChanctlError("malformed", `\`${name}\` must be ${expected}, got ${describeShape(came)}`, {
    hint: "use the same chanctl in the app and beside it",
  });
}
