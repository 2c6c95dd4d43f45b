import { describe, expect, it } from "vitest";
import { parseDefinition } from "#src/protocol/definition.ts";
import { resolveLifecycle } from "#src/shared/lifecycle.ts";

describe("parseDefinition", () => {
  it("fills the defaults of a public channel", () => {
    expect(parseDefinition("chat", { public: true })).toEqual({
      name: "chat",
      transport: "sse",
      paramsSchema: { type: "object", properties: {}, additionalProperties: false },
      public: true,
      onPublish: false,
      lifecycle: resolveLifecycle({}),
    });
  });

  it("reads what a definition file exports, functions as `true`", () => {
    const definition = parseDefinition("chat", {
      transport: "ws",
      paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
      messages: { message: { type: "object" } },
      auth: { headerName: "Authorization", cookieName: "session" },
      verify: () => true,
      onPublish: () => true,
      replayWindowMs: 0,
    });
    expect(definition).toMatchObject({
      transport: "ws",
      auth: { headerName: "authorization", cookieName: "session" },
      public: false,
      onPublish: true,
      paramsSchema: { required: ["room"], additionalProperties: false },
      lifecycle: { replayWindowMs: 0 },
    });
  });

  it.each([
    ["nothing", undefined, "a definition must be an object"],
    ["an array", [], "a definition must be an object"],
    ["neither auth nor public", {}, "says neither who may read it nor that anyone may"],
    ["public and auth", { public: true, verify: true }, "exclude each other"],
    [
      "an unknown transport",
      { public: true, transport: "wss" },
      '`transport` must be "sse" or "ws", got `"wss"`',
    ],
    ["a text as a flag", { public: "yes" }, "`public` must be true or false"],
    ["an empty auth", { auth: {} }, "`auth` must name a header or a cookie"],
    ["a text as auth", { auth: "cookie" }, "`auth` must be an object"],
    [
      "a header name with a line break",
      { auth: { headerName: "x\r\ny" } },
      "`auth.headerName` must be a header",
    ],
    [
      "an empty cookie name",
      { auth: { cookieName: "" } },
      "`auth.cookieName` must be a header or cookie name",
    ],
    ["messages as an array", { public: true, messages: [] }, "`messages` must be an object"],
    [
      "a type without a schema",
      { public: true, messages: { a: true } },
      "`messages.a` must be a JSON Schema",
    ],
    [
      "params that are no object",
      { public: true, paramsSchema: { type: "string" } },
      "`paramsSchema` must be",
    ],
    ["a lifecycle out of bounds", { public: true, keepaliveIntervalMs: 1 }, "`keepaliveIntervalMs` must be"],
  ])("refuses %s", (_, value, message) => {
    expect(() => parseDefinition("chat", value)).toThrow(
      expect.objectContaining({
        code: "definition_invalid",
        message: expect.stringContaining(message),
        hint: expect.stringMatching(/./),
      }),
    );
  });

  const reserved = ["last_message_id", "rewind", "token", "offset", "live", "cursor", "signed", "jid"];
  it.each(reserved)("refuses the reserved param `%s`", (param) => {
    expect(() => withParam(param, { type: "string" })).toThrow(`\`${param}\` is reserved`);
  });

  it.each(["1a", "a-b", "", "a b", "ü"])("refuses %j as the name of a param", (param) => {
    expect(() => withParam(param, { type: "string" })).toThrow("must be letters, digits and `_`");
  });

  it.each(["object", "array", "null"])("refuses a param of type %s", (type) => {
    expect(() => withParam("room", { type })).toThrow(
      "must have the type string, integer, number or boolean",
    );
  });

  it.each([{ enum: ["a"] }, { const: "a" }, { anyOf: [{ const: "a" }] }, { type: "integer" }])(
    "takes a param of %j",
    (schema) => {
      expect(withParam("room", schema).paramsSchema).toMatchObject({ properties: { room: schema } });
    },
  );

  it("takes the `$schema` that an editor reads, and tells nobody of it", () => {
    const schema = "./node_modules/chanctl/channel.schema.json";
    expect(parseDefinition("chat", { $schema: schema, public: true })).toEqual(
      parseDefinition("chat", { public: true }),
    );
  });

  it("lists the keys that there are where none is near", () => {
    const hintOf = (key: string): unknown => {
      try {
        return parseDefinition("chat", { public: true, [key]: 1 });
      } catch (error) {
        return (error as { hint?: string }).hint;
      }
    };
    expect(hintOf("lifecycle")).toMatch(/^its keys stand beside the others: .*replayWindowMs/);
    expect(hintOf("zzzzzzzz")).toMatch(/^there are .*transport, paramsSchema/);
  });

  it("tells of a wrong value before one that is missing", () => {
    expect(() => parseDefinition("chat", { transport: "wss" })).toThrow('`transport` must be "sse" or "ws"');
  });

  it("names the key that was meant", () => {
    expect(() => parseDefinition("chat", { public: true, replayWindow: 5 })).toThrow(
      expect.objectContaining({
        message: "unknown key `replayWindow`",
        hint: "did you mean `replayWindowMs`?",
      }),
    );
  });
});

function withParam(param: string, schema: object) {
  return parseDefinition("chat", {
    public: true,
    paramsSchema: { type: "object", properties: { [param]: schema } },
  });
}
