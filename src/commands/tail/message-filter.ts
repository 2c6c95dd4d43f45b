import { ChanctlError } from "../../shared/errors.ts";
import type { TailMessage } from "./tail-message.ts";

interface FilterFlags {
  /** `--type`: any of these; empty for all. */
  readonly types: readonly string[];
  /** `--where k=v`: all of these. */
  readonly where: readonly string[];
}

/**
 * Makes the filter of `--type` and `--where`. A condition's name is a path into the message's data
 * (`user.id=7`), or `from`.
 *
 * @throws {ChanctlError} `usage` if a condition has no `=`.
 */
export function messageFilter({ types, where }: FilterFlags): (message: TailMessage) => boolean {
  const conditions = where.map(parseCondition);
  return (message) =>
    (types.length === 0 || types.includes(message.type)) &&
    conditions.every(({ path, value }) => valueAt(message, path) === value);
}

function parseCondition(text: string): { path: readonly string[]; value: string } {
  const equals = text.indexOf("=");
  if (equals < 1) {
    throw new ChanctlError("usage", `\`--where\` must be \`name=value\`, got \`${text}\``, {
      hint: "--where user.id=7",
    });
  }
  return { path: text.slice(0, equals).split("."), value: text.slice(equals + 1) };
}

/** What is at a path, as text: JSON where it is no text. Data's own `from` comes before the message's. */
function valueAt({ data, from }: TailMessage, path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((value, name) => memberOf(value, name), data);
  if (found === undefined) return path.join(".") === "from" ? from : undefined;
  return typeof found === "string" ? found : JSON.stringify(found);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
