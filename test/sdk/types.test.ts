import { expectTypeOf, test } from "vitest";

import { defineChannel } from "#src/sdk/define-channel.ts";
import { allow, reject } from "#src/sdk/answers.ts";
import type {
  ChannelMessages,
  ChannelParams,
  Infer,
  InferFilledParams,
  InferMessage,
  InferParams,
} from "#src/protocol/infer.ts";

// The compiler checks these claims (`npm run types`); the calls below only have to be well-typed, so none is made.

const board = defineChannel({
  transport: "ws",
  paramsSchema: {
    type: "object",
    properties: {
      room: { type: "string" },
      limit: { type: "integer", default: 10 },
      side: { enum: ["left", "right"] },
    },
    required: ["room"],
  },
  messages: {
    say: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    move: { type: "object", properties: { path: { type: "array", items: { type: "number" } } } },
  },
  auth: { cookieName: "session" },
  verify({ params, operation, cookie, header }) {
    expectTypeOf(params).toEqualTypeOf<{
      readonly room: string;
      readonly limit: number;
      readonly side?: "left" | "right";
    }>();
    expectTypeOf(operation).toEqualTypeOf<"subscribe" | "publish">();
    expectTypeOf(cookie).toEqualTypeOf<string | undefined>();
    expectTypeOf(header?.value).toEqualTypeOf<string | undefined>();
    return cookie === undefined
      ? reject("sign in first")
      : allow({ subject: cookie, replayWindowMs: undefined });
  },
  onPublish({ message, params, subject }) {
    if (message.type === "say") expectTypeOf(message.data).toEqualTypeOf<{ readonly text: string }>();
    expectTypeOf(params.limit).toEqualTypeOf<number>();
    expectTypeOf(subject).toEqualTypeOf<string | undefined>();
    return message;
  },
});

test("the types of params and messages flow from the definition to publish", () => {
  expectTypeOf<Parameters<typeof board.publish>[0]>().toEqualTypeOf<{
    readonly room: string;
    readonly limit?: number;
    readonly side?: "left" | "right";
  }>();
  expectTypeOf(() =>
    board.publish({ room: "a" }, { type: "say", data: { text: "hi" } }),
  ).returns.resolves.toEqualTypeOf<{
    readonly id: string;
  }>();
  expectTypeOf(() =>
    board.publish({ room: "a" }, [{ type: "say", data: { text: "hi" } }]),
  ).returns.resolves.toEqualTypeOf<{
    readonly ids: readonly string[];
  }>();
  const refused = [
    // @ts-expect-error a required param is missing
    () => board.publish({}, { type: "say", data: { text: "hi" } }),
    // @ts-expect-error a param has the wrong type
    () => board.publish({ room: 1 }, { type: "say", data: { text: "hi" } }),
    // @ts-expect-error the channel has no such message
    () => board.publish({ room: "a" }, { type: "shout", data: { text: "hi" } }),
    // @ts-expect-error the data is another message's
    () => board.publish({ room: "a" }, { type: "say", data: { path: [1] } }),
    // @ts-expect-error one of several does not fit
    () => board.publish({ room: "a" }, [{ type: "say", data: {} }]),
  ];
  expectTypeOf(refused).toBeArray();
});

test("the types of a channel are read off its definition", () => {
  expectTypeOf<ChannelParams<typeof board>>().toEqualTypeOf<Parameters<typeof board.publish>[0]>();
  expectTypeOf<ChannelMessages<typeof board>>().toEqualTypeOf<
    | { readonly type: "say"; readonly data: { readonly text: string } }
    | { readonly type: "move"; readonly data: { readonly path?: readonly number[] } }
  >();
});

test("a channel without params or messages takes no params and any message", () => {
  const news = defineChannel({ public: true });
  expectTypeOf<Parameters<typeof news.publish>[0]>().toEqualTypeOf<Readonly<Record<string, never>>>();
  expectTypeOf(() => news.publish({}, { type: "anything", data: [1, "two"] })).toBeFunction();
  // @ts-expect-error it has no param
  expectTypeOf(() => news.publish({ room: "a" }, { type: "x", data: 1 })).toBeFunction();
});

test("verify must answer with allow or reject", () => {
  // @ts-expect-error `true` is no answer
  defineChannel({ auth: { cookieName: "session" }, verify: () => true });
});

test("the values of a JSON Schema have its type", () => {
  expectTypeOf<Infer<{ type: "string" }>>().toEqualTypeOf<string>();
  expectTypeOf<Infer<{ type: readonly ["integer", "null"] }>>().toEqualTypeOf<number | null>();
  expectTypeOf<Infer<{ const: 7 }>>().toEqualTypeOf<7>();
  expectTypeOf<Infer<{ anyOf: readonly [{ type: "string" }, { type: "boolean" }] }>>().toEqualTypeOf<
    string | boolean
  >();
  expectTypeOf<Infer<{ type: "object" }>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  expectTypeOf<Infer<{ $ref: "#/definitions/x" }>>().toEqualTypeOf<unknown>();
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
