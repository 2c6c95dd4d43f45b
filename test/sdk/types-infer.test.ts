import { expectTypeOf, test } from "vitest";
import type { Infer, InferFilledParams, InferMessage, InferParams } from "#src/protocol/infer.ts";

// The compiler checks these claims (`npm run types`).

test("the values of a scalar schema have its type", () => {
  expectTypeOf<Infer<{ type: "string" }>>().toEqualTypeOf<string>();
  expectTypeOf<Infer<{ type: "integer" }>>().toEqualTypeOf<number>();
  expectTypeOf<Infer<{ type: "number" }>>().toEqualTypeOf<number>();
  expectTypeOf<Infer<{ type: "boolean" }>>().toEqualTypeOf<boolean>();
  expectTypeOf<Infer<{ type: "null" }>>().toEqualTypeOf<null>();
  expectTypeOf<Infer<{ type: readonly ["integer", "null"] }>>().toEqualTypeOf<number | null>();
});

test("the values of `const`, `enum`, `anyOf` and `oneOf` are those that they list", () => {
  expectTypeOf<Infer<{ const: 7 }>>().toEqualTypeOf<7>();
  expectTypeOf<Infer<{ type: "string"; enum: readonly ["a", "b"] }>>().toEqualTypeOf<"a" | "b">();
  type Members = readonly [{ type: "string" }, { const: 1 }];
  expectTypeOf<Infer<{ anyOf: Members }>>().toEqualTypeOf<string | 1>();
  expectTypeOf<Infer<{ oneOf: Members }>>().toEqualTypeOf<string | 1>();
});

test("arrays and objects have the types of what they hold", () => {
  expectTypeOf<Infer<{ type: "array"; items: { type: "string" } }>>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<
    Infer<{
      type: "object";
      properties: { at: { type: "object"; properties: { x: { type: "number" } }; required: readonly ["x"] } };
    }>
  >().toEqualTypeOf<{ readonly at?: { readonly x: number } }>();
  expectTypeOf<Infer<{ type: "object" }>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
});

test("what a schema's type does not tell is unknown, never wrong", () => {
  expectTypeOf<Infer<{ $ref: "#/definitions/x" }>>().toEqualTypeOf<unknown>();
  expectTypeOf<Infer<{ type: "array" }>>().toEqualTypeOf<readonly unknown[]>();
  const widened = { type: "object", properties: { room: { type: "string" } }, required: ["room"] };
  expectTypeOf<InferParams<typeof widened>>().toEqualTypeOf<{ readonly room?: unknown }>();
});

test("a param with a default is there for the app and optional for a publisher", () => {
  interface Schema {
    readonly properties: { page: { type: "integer"; default: 1 }; tag: { type: "string" } };
    readonly required: readonly ["page"];
  }
  expectTypeOf<InferParams<Schema>>().toEqualTypeOf<{ readonly page?: number; readonly tag?: string }>();
  expectTypeOf<InferFilledParams<Schema>>().toEqualTypeOf<{ readonly page: number; readonly tag?: string }>();
});

test("a schema without properties has no params", () => {
  type None = Readonly<Record<string, never>>;
  expectTypeOf<InferParams<{ type: "object"; properties: object }>>().toEqualTypeOf<None>();
  expectTypeOf<InferParams<{ type: "object" }>>().toEqualTypeOf<None>();
});

test("a schema that brings its type along, as TypeBox's do, has that type", () => {
  interface TypeBoxRoom {
    readonly static: { room: string; limit?: number };
    readonly type: "object";
    readonly properties: { room: object; limit: object };
    readonly required?: string[];
  }
  expectTypeOf<InferParams<TypeBoxRoom>>().toEqualTypeOf<{ room: string; limit?: number }>();
  expectTypeOf<InferFilledParams<TypeBoxRoom>>().toEqualTypeOf<{ room: string; limit?: number }>();
  expectTypeOf<InferMessage<{ say: { static: { text: string } } }>>().toEqualTypeOf<{
    readonly type: "say";
    readonly data: { text: string };
  }>();
});
