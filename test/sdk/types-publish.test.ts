import { expectTypeOf, test } from "vitest";
import type { ChannelMessages, ChannelParams } from "#src/protocol/infer.ts";
import { board, news } from "./board.ts";

// The compiler checks these claims (`npm run types`). The calls only have to be well-typed, so none is made.

const ROOM = { room: "a", isDraft: true } as const;
const HI = { type: "say", data: { text: "hi" } } as const;

test("publish takes the params that the schema names, and those with a default are optional", () => {
  expectTypeOf<Parameters<typeof board.publish>[0]>().toEqualTypeOf<{
    readonly room: string;
    readonly limit?: number;
    readonly scale?: number;
    readonly isDraft?: boolean;
    readonly side?: "left" | "right";
    readonly version?: 2;
  }>();
});

test("publish takes one message or several, and resolves to their ids", () => {
  expectTypeOf(() => board.publish(ROOM, HI)).returns.resolves.toEqualTypeOf<{
    readonly id: string;
    readonly ids: readonly string[];
  }>();
  expectTypeOf(() => board.publish(ROOM, [HI, { type: "clear", data: null }])).toBeFunction();
  expectTypeOf((message: ChannelMessages<typeof board>) => board.publish(ROOM, message)).toBeFunction();
  expectTypeOf((messages: ChannelMessages<typeof board>[]) => board.publish(ROOM, messages)).toBeFunction();
  const options = { idempotencyKey: "order-17", timeoutMs: 1_000, signal: new AbortController().signal };
  expectTypeOf(() => board.publish({ room: "a", side: "left" }, HI, options)).toBeFunction();
});

test("a publish with wrong params does not compile", () => {
  expectTypeOf([
    // @ts-expect-error a required param is missing
    () => board.publish({}, HI),
    // @ts-expect-error a param has the wrong type
    () => board.publish({ room: 1 }, HI),
    // @ts-expect-error a param is not one of the listed values
    () => board.publish({ room: "a", side: "up" }, HI),
    // @ts-expect-error a param is not the one value
    () => board.publish({ room: "a", version: 3 }, HI),
    // @ts-expect-error the channel has no such param
    () => board.publish({ room: "a", rom: "b" }, HI),
    // @ts-expect-error the params are missing
    () => board.publish(HI),
  ]).toBeArray();
});

test("a publish with a wrong message does not compile", () => {
  expectTypeOf([
    // @ts-expect-error there is no message
    () => board.publish(ROOM),
    // @ts-expect-error the channel has no such message
    () => board.publish(ROOM, { type: "shout", data: null }),
    // @ts-expect-error a required field is missing
    () => board.publish(ROOM, { type: "say", data: {} }),
    // @ts-expect-error a field has the wrong type
    () => board.publish(ROOM, { type: "say", data: { text: 1 } }),
    // @ts-expect-error the message has no such field
    () => board.publish(ROOM, { type: "move", data: { path: [1], bye: "ada" } }),
    // @ts-expect-error the data is another message's
    () => board.publish(ROOM, { type: "say", data: { path: [1] } }),
    // @ts-expect-error the data is missing
    () => board.publish(ROOM, { type: "clear" }),
    // @ts-expect-error one of several does not fit
    () => board.publish(ROOM, [HI, { type: "say", data: {} }]),
    // @ts-expect-error an option is misspelt
    () => board.publish(ROOM, HI, { timeout: 1_000 }),
  ]).toBeArray();
});

test("a channel without params or messages takes no params and any message", () => {
  expectTypeOf<Parameters<typeof news.publish>[0]>().toEqualTypeOf<Readonly<Record<string, never>>>();
  expectTypeOf(() => news.publish({}, { type: "anything", data: [1, "two"] })).toBeFunction();
  expectTypeOf([
    // @ts-expect-error it has no param
    () => news.publish({ room: "a" }, HI),
    // @ts-expect-error a message has a type
    () => news.publish({}, { data: 1 }),
  ]).toBeArray();
});

test("the types of a channel are read off its definition", () => {
  expectTypeOf<ChannelParams<typeof board>>().toEqualTypeOf<Parameters<typeof board.publish>[0]>();
  expectTypeOf<ChannelMessages<typeof board>>().toEqualTypeOf<
    | { readonly type: "say"; readonly data: { readonly text: string } }
    | {
        readonly type: "move";
        readonly data: { readonly path?: readonly number[]; readonly by?: string | null };
      }
    | { readonly type: "clear"; readonly data: null }
  >();
  expectTypeOf<ChannelParams<typeof news>>().toEqualTypeOf<Readonly<Record<string, never>>>();
  expectTypeOf<ChannelMessages<typeof news>>().toEqualTypeOf<{
    readonly type: string;
    readonly data: unknown;
  }>();
});
