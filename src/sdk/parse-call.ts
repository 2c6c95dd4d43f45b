import type { AuthorizeRequest, HeaderCredential, OnPublishRequest } from "../protocol/app-call.ts";
import type { Params } from "../protocol/stream-path.ts";
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
    ...optional("header", toCredential(fields["header"])),
    ...optional("cookie", optionalText(fields, "cookie")),
    ...optional("origin", optionalText(fields, "origin")),
    ...optional("ip", optionalText(fields, "ip")),
    ...optional("userAgent", optionalText(fields, "userAgent")),
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
  if (fields["version"] !== 1) throw unexpected("version", "1", fields["version"]);
  return {
    version: 1,
    channel: text(fields, "channel"),
    params: toFields(fields["params"], "params") as Params, // the broker has coerced and validated them
    transport: oneOf(fields, "transport", ["ws", "sse", "http"]),
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
  return new ChanctlError("malformed", `\`${name}\` must be ${expected}, got \`${JSON.stringify(came)}\``, {
    hint: "use the same chanctl in the app and beside it",
  });
}
