import { parseDefinition } from "../../protocol/definition.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { oneOf } from "../../shared/one-of.ts";

/** A param as `--param` gave it. */
export interface ParamDraft {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
}

const TYPES = ["string", "integer", "number", "boolean"];

/**
 * Reads `room:string`, `limit?:integer` (or `limit:integer?`) or a bare `room`, which is a string.
 *
 * @throws {ChanctlError} `usage` for an unknown type, or a name that no param may have.
 */
export function parseParamDraft(text: string): ParamDraft {
  const [name = "", type = "string", ...others] = text.split(":");
  const draft = {
    name: name.replace(/\?$/, ""),
    type: type.replace(/\?$/, ""),
    isRequired: !name.endsWith("?") && !type.endsWith("?"),
  };
  if (!TYPES.includes(draft.type) || others.length > 0) {
    const near = didYouMean(draft.type, TYPES);
    throw new ChanctlError("usage", `the type of a param must be ${oneOf(TYPES)}, got \`${text}\``, {
      hint: `--param ${draft.name || "room"}:${near ?? "string"}`,
    });
  }
  assertUsable(draft);
  return draft;
}

/** The definition's own rules for names are what the file will be held to. */
function assertUsable({ name, type }: ParamDraft): void {
  try {
    parseDefinition("new", {
      public: true,
      paramsSchema: { type: "object", properties: { [name]: { type } } },
    });
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    throw new ChanctlError("usage", error.message, { hint: "--param room:string" });
  }
}

/** The source text of a `paramsSchema` property, indented for a definition; empty without params. */
export function paramsSchemaSource(params: readonly ParamDraft[]): string {
  if (params.length === 0) return "";
  const properties = params.map(({ name, type }) => `      ${name}: { type: "${type}"${boundOf(type)} },\n`);
  const required = params.filter(({ isRequired }) => isRequired).map(({ name }) => `"${name}"`);
  return [
    "  paramsSchema: {\n",
    '    type: "object",\n',
    "    properties: {\n",
    ...properties,
    "    },\n",
    ...(required.length === 0 ? [] : [`    required: [${required.join(", ")}],\n`]),
    "  },\n",
  ].join("");
}

/** Each distinct value is a stream of its own: a text without a bound would be one in size too. */
function boundOf(type: string): string {
  return type === "string" ? ", maxLength: 64" : "";
}
