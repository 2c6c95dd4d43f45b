import { describe, expect, it } from "vitest";

import { parseDefinition } from "#src/protocol/definition.ts";
import { Channel } from "#src/registry/channel.ts";
import { createSchemaCompiler } from "#src/registry/schema-check.ts";
import type { ChanctlError } from "#src/shared/errors.ts";

function channel(definition: object, limits = { maxParamsBytes: 2_048 }): Channel {
  const parsed = parseDefinition("chat", { public: true, ...definition });
  return new Channel(parsed, { compileSchema: createSchemaCompiler(), limits });
}

function withParams(properties: object, rest: object = {}): Channel {
  return channel({ paramsSchema: { type: "object", properties, ...rest } });
}

function coerce(target: Channel, query: string): unknown {
  return target.coerceParams(new URLSearchParams(query));
}

function errorOf(action: () => unknown): Pick<ChanctlError, "code" | "message" | "hint"> {
  try {
    action();
  } catch (error) {
    const { code, message, hint } = error as ChanctlError;
    return { code, message, hint };
  }
  throw new Error("expected an error");
}

describe("params", () => {
  it("are coerced to the types of the schema", () => {
    const target = withParams({
      room: { type: "string" },
      page: { type: "integer" },
      ratio: { type: "number" },
      dark: { type: "boolean" },
    });
    expect(coerce(target, "room=7&page=7&ratio=-0.5&dark=false")).toEqual({
      room: "7",
      page: 7,
      ratio: -0.5,
      dark: false,
    });
  });

  it.each([
    "1e3",
    " 1",
    "1 ",
    "0x10",
    "",
    "Infinity",
    "NaN",
    "1.0",
    "01",
    "+1",
    "-0",
    "9007199254740993",
    "١",
  ])("refuse %j as an integer", (text) => {
    const target = withParams({ page: { type: "integer" } });
    const error = errorOf(() => target.coerceParams(new URLSearchParams({ page: text })));
    expect(error.code).toBe("params_invalid");
    expect(error.message).toBe(`the param \`page\` must be integer, got \`${text}\``);
  });

  it.each(["", " 1", "0x10", "Infinity", "NaN", "1e999", ".5", "1.", "1_000"])(
    "refuse %j as a number",
    (text) => {
      const target = withParams({ ratio: { type: "number" } });
      expect(errorOf(() => target.coerceParams(new URLSearchParams({ ratio: text }))).code).toBe(
        "params_invalid",
      );
    },
  );

  it.each(["", "1", "TRUE", "yes", " true"])("refuse %j as a boolean", (text) => {
    const target = withParams({ dark: { type: "boolean" } });
    expect(errorOf(() => target.coerceParams(new URLSearchParams({ dark: text }))).code).toBe(
      "params_invalid",
    );
  });

  it("take numbers as JSON writes them, so that 1.0 and 1 are one room", () => {
    const target = withParams({ ratio: { type: "number" } });
    expect(coerce(target, "ratio=1.0")).toEqual({ ratio: 1 });
    expect(coerce(target, "ratio=1e21")).toEqual({ ratio: 1e21 });
  });

  it("take the values of an enum, a const and a union with their own types", () => {
    const target = withParams({
      level: { enum: [1, 2, "auto"] },
      kind: { const: "a" },
      side: {
        anyOf: [
          { const: "left", type: "string" },
          { const: 2, type: "number" },
        ],
      },
    });
    expect(coerce(target, "level=2&kind=a&side=left")).toEqual({ level: 2, kind: "a", side: "left" });
    expect(coerce(target, "level=auto&kind=a&side=2")).toEqual({ level: "auto", kind: "a", side: 2 });
    expect(errorOf(() => coerce(target, "level=3")).message).toBe(
      'the param `level` must be one of [1,2,"auto"], got `3`',
    );
  });

  it("get the defaults of the schema, before they are validated", () => {
    const target = withParams({ room: { type: "string", default: "lobby" } }, { required: ["room"] });
    expect(coerce(target, "")).toEqual({ room: "lobby" });
    expect(coerce(target, "room=b")).toEqual({ room: "b" });
  });

  it("are validated, and the error names the param", () => {
    const target = withParams({ room: { type: "string", maxLength: 3 } }, { required: ["room"] });
    expect(errorOf(() => coerce(target, "")).message).toBe("the param `room` is missing");
    expect(errorOf(() => coerce(target, "room=long")).message).toBe(
      'the param `room` must have at most 3 characters, got `"long"`',
    );
    const named = withParams({ room: { type: "string", minLength: 1 } });
    expect(errorOf(() => coerce(named, "room=")).message).toBe(
      'the param `room` must have at least 1 character, got `""`',
    );
  });

  it("that are unknown are refused with what was probably meant", () => {
    const target = withParams({ room: { type: "string" } });
    expect(errorOf(() => coerce(target, "rom=a"))).toEqual({
      code: "params_invalid",
      message: "`chat` has no param `rom`",
      hint: "did you mean `room`?",
    });
    expect(errorOf(() => coerce(channel({}), "rom=a")).hint).toBe("`chat` has no params");
  });

  it.each(["__proto__", "constructor", "toString"])("named %s are unknown like any other", (name) => {
    const target = withParams({ room: { type: "string" } });
    expect(errorOf(() => coerce(target, `${name}=a`)).message).toBe(`\`chat\` has no param \`${name}\``);
  });

  it("that are given twice are refused", () => {
    const target = withParams({ room: { type: "string" } });
    expect(errorOf(() => coerce(target, "room=a&room=a")).message).toBe(
      "the param `room` must be given once, got it twice",
    );
  });

  it("honour `maxParamsBytes`, counted in bytes of names and values", () => {
    const target = channel(
      { paramsSchema: { type: "object", properties: { room: { type: "string" } } } },
      { maxParamsBytes: 8 },
    );
    expect(coerce(target, "room=%C3%A4%C3%A4")).toEqual({ room: "ää" });
    expect(errorOf(() => coerce(target, "room=%C3%A4%C3%A4a"))).toMatchObject({
      code: "params_invalid",
      message: expect.stringContaining("at most 8 bytes (`limits.maxParamsBytes`), got 9"),
    });
  });
});

describe("a message", () => {
  const target = channel({
    messages: {
      message: {
        type: "object",
        properties: { text: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
        required: ["text"],
        additionalProperties: false,
      },
      typing: { type: "null" },
    },
  });

  it("that fits its schema is accepted", () => {
    target.checkMessage({ type: "message", data: { text: "hi", tags: ["a"] } });
    target.checkMessage({ type: "typing", data: null });
  });

  it.each([
    [{ text: 1 }, "data.text must be string"],
    [{ text: "hi", tags: ["a", 2] }, "data.tags[1] must be string"],
    [{}, "data must have required property 'text'"],
    [{ text: "hi", "a b": 1 }, "data must not have the property `a b`"],
    ["hi", "data must be object"],
  ])("%j is refused with the place", (data, message) => {
    expect(errorOf(() => target.checkMessage({ type: "message", data }))).toMatchObject({
      code: "message_invalid",
      message,
    });
  });

  it("of an unknown type is refused with what was probably meant", () => {
    expect(errorOf(() => target.checkMessage({ type: "mesage", data: {} }))).toEqual({
      code: "message_invalid",
      message: "`type` must be a message type of `chat`, got `mesage`",
      hint: "did you mean `message`?",
    });
    expect(errorOf(() => target.checkMessage({ type: "toString", data: {} })).hint).toBe(
      "there are `message`, `typing`",
    );
  });

  it("of any type and data is accepted where the channel has no schemas", () => {
    channel({}).checkMessage({ type: "anything", data: [1, "two", null] });
  });
});

describe("a definition", () => {
  it.each([
    [{ messages: { message: { type: "strng" } } }, "`messages.message` is not a schema"],
    [{ messages: { message: { type: "string", format: "email" } } }, "`messages.message` is not a schema"],
    [{ messages: { message: { type: "string", maxLenght: 3 } } }, "`messages.message` is not a schema"],
    [{ messages: { message: { $async: true, type: "string" } } }, "must be a schema without `$async`"],
    [
      { paramsSchema: { type: "object", properties: {}, minProperties: "1" } },
      "`paramsSchema` is not a schema",
    ],
    [
      { paramsSchema: { type: "object", properties: { page: { type: "integer", default: "one" } } } },
      "a default does not fit: the param `page` must be integer",
    ],
    [
      { paramsSchema: { type: "object", properties: { page: { anyOf: [{ type: "object" }] } } } },
      "the param `page` must be of string, integer, number or boolean",
    ],
  ])("of %j is refused", (definition, message) => {
    const error = errorOf(() => channel(definition));
    expect(error.code).toBe("definition_invalid");
    expect(error.message).toContain(message);
  });

  it("may have TypeBox schemas", () => {
    // What Type.Object, Type.Union of literals, Type.Optional and Type.Tuple give.
    const target = channel({
      messages: {
        move: {
          type: "object",
          required: ["to", "by"],
          properties: {
            to: {
              type: "array",
              items: [{ type: "integer" }, { type: "integer" }],
              additionalItems: false,
              minItems: 2,
              maxItems: 2,
            },
            by: {
              anyOf: [
                { const: "a", type: "string" },
                { const: "b", type: "string" },
              ],
            },
            note: { type: "string", $id: "Note" },
          },
        },
      },
    });
    target.checkMessage({ type: "move", data: { to: [1, 2], by: "a" } });
    expect(
      errorOf(() => target.checkMessage({ type: "move", data: { to: [1, "2"], by: "a" } })).message,
    ).toBe("data.to[1] must be integer");
  });

  it.each([
    ["data as deep as JSON may be", { tree: { type: "object", properties: { child: { $ref: "#" } } } }],
    ["a schema that never ends", { tree: { anyOf: [{ $ref: "#" }, { type: "number" }] } }],
  ])("are refused, and nothing breaks, by a recursive schema and %s", (_, messages) => {
    const target = channel({ messages });
    const deep = JSON.parse('{"child":'.repeat(20_000) + "1" + "}".repeat(20_000)) as unknown;
    expect(errorOf(() => target.checkMessage({ type: "tree", data: deep }))).toMatchObject({
      code: "message_invalid",
      message: "data is nested deeper than its schema can be followed",
    });
  });

  it("may have schemas of 2020-12 that say so", () => {
    const target = channel({
      messages: {
        pair: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "array",
          prefixItems: [{ type: "string" }],
        },
      },
    });
    expect(errorOf(() => target.checkMessage({ type: "pair", data: [1] })).message).toBe(
      "data[0] must be string",
    );
  });

  it("may share the `$id` of a schema with another", () => {
    const compileSchema = createSchemaCompiler();
    const definition = { public: true, messages: { text: { $id: "Text", type: "string" } } };
    for (const name of ["a", "b"]) {
      const parsed = parseDefinition(name, structuredClone(definition));
      const target = new Channel(parsed, { compileSchema, limits: { maxParamsBytes: 10 } });
      target.checkMessage({ type: "text", data: "hi" });
    }
  });
});
