import type { ParamDraft } from "./param-schema.ts";

interface JsonDefinitionOptions {
  readonly transport: string;
  readonly params: readonly ParamDraft[];
  readonly isPublic: boolean;
}

/** The text of a channel's `.json` file, for an app that has no JavaScript: it answers `authorize` by HTTP. */
export function jsonDefinition({ transport, params, isPublic }: JsonDefinitionOptions): string {
  const definition = {
    transport,
    ...(params.length === 0 ? {} : { paramsSchema: paramsSchemaOf(params) }),
    ...(transport === "ws" ? { messages: { message: TEXT_MESSAGE } } : {}),
    ...(isPublic ? { public: true } : { auth: { headerName: "authorization", cookieName: "session" } }),
  };
  return `${JSON.stringify(definition, undefined, 2)}\n`;
}

const TEXT_MESSAGE = {
  type: "object",
  properties: { text: { type: "string", maxLength: 2000 } },
  required: ["text"],
  additionalProperties: false,
};

function paramsSchemaOf(params: readonly ParamDraft[]): object {
  const required = params.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    type: "object",
    properties: Object.fromEntries(
      // Each distinct value is a stream of its own: a text without a bound would be one in size too.
      params.map(({ name, type }) => [name, type === "string" ? { type, maxLength: 64 } : { type }]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}
