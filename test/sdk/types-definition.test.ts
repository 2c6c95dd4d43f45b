import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { expectTypeOf, test } from "vitest";
import { allow, reject } from "#src/sdk/answers.ts";
import { createChannels } from "#src/sdk/channels.ts";
import type { Channels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";
import { loadChannels } from "#src/sdk/load-channels.ts";
import { board, news } from "./board.ts";

// The compiler checks these claims (`npm run types`). The calls only have to be well-typed; what would act is not called.

const auth = { cookieName: "session" } as const;
const paramsSchema = {
  type: "object",
  properties: { room: { type: "string" }, limit: { type: "integer", default: 10 }, tag: { type: "string" } },
  required: ["room"],
} as const;
const messages = { say: { type: "string" }, count: { type: "integer" } } as const;

test("verify is told the params with their defaults, and of the request what the definition names", () => {
  defineChannel({
    paramsSchema,
    auth,
    verify({ params, operation, transport, header, cookie, origin, ip, userAgent }) {
      expectTypeOf(params).toEqualTypeOf<{
        readonly room: string;
        readonly limit: number;
        readonly tag?: string;
      }>();
      expectTypeOf(operation).toEqualTypeOf<"subscribe" | "publish">();
      expectTypeOf(transport).toEqualTypeOf<"sse" | "ws" | "http" | "ds">();
      expectTypeOf(header).toEqualTypeOf<{ readonly scheme?: string; readonly value: string } | undefined>();
      expectTypeOf([cookie, origin, ip, userAgent]).toEqualTypeOf<(string | undefined)[]>();
      // @ts-expect-error the channel has no such param
      return allow({ subject: params.user });
    },
  });
});

test("verify answers with allow or reject, at once or later", () => {
  defineChannel({ auth, verify: () => allow() });
  defineChannel({ auth, verify: async ({ cookie }) => (cookie === "" ? reject("no") : allow()) });
  // @ts-expect-error `true` is no answer
  defineChannel({ auth, verify: () => true });
  // @ts-expect-error no answer is none either
  defineChannel({ auth, verify: () => {} });
  // @ts-expect-error a missing session is no answer
  defineChannel({ auth, verify: ({ cookie }) => cookie && allow() });
});

test("allow and reject take what the broker understands", () => {
  allow({
    subject: "u1",
    operations: ["subscribe", "publish"],
    expiresAt: 1,
    replayWindowMs: undefined,
    keepaliveIntervalMs: 1_000,
    maxConnectionLifetimeMs: 10_000,
    inactivityTtlMs: 0,
  });
  reject("sign in first", { status: 401 });
  // @ts-expect-error a subject is a text
  allow({ subject: 7 });
  // @ts-expect-error there is no such operation
  allow({ operations: ["fly"] });
  // @ts-expect-error an option is misspelt
  allow({ replayWindow: 1_000 });
  // @ts-expect-error a refusal has a reason
  expectTypeOf(() => reject()).toBeFunction();
  // @ts-expect-error a refusal is 401, 403 or 404
  reject("broken", { status: 500 });
});

test("onPublish is told a message of the channel, and its type tells its data", () => {
  defineChannel({
    paramsSchema,
    messages,
    public: true,
    onPublish({ message, params, subject, transport }) {
      expectTypeOf(message.type).toEqualTypeOf<"say" | "count">();
      if (message.type === "say") expectTypeOf(message.data).toEqualTypeOf<string>();
      else expectTypeOf(message.data).toEqualTypeOf<number>();
      expectTypeOf(params.limit).toEqualTypeOf<number>();
      expectTypeOf(subject).toEqualTypeOf<string | undefined>();
      expectTypeOf(transport).toEqualTypeOf<"sse" | "ws" | "http" | "ds">();
      return message.type === "say" ? { ...message, data: message.data.trim() } : message;
    },
  });
});

test("onPublish returns a message of the channel, a refusal or nothing, at once or later", () => {
  const base = { messages, public: true } as const;
  defineChannel({ ...base, onPublish: () => ({ type: "count", data: 1 }) });
  defineChannel({
    ...base,
    onPublish: async ({ message }) => (message.data === "" ? reject("no") : message),
  });
  defineChannel({ ...base, onPublish() {} });
  defineChannel({ ...base, async onPublish() {} });
  // @ts-expect-error the channel has no such message
  defineChannel({ ...base, onPublish: () => ({ type: "shout", data: "hi" }) });
  // @ts-expect-error the data is another message's
  defineChannel({ ...base, onPublish: () => ({ type: "say", data: 1 }) });
  // @ts-expect-error `false` is no answer
  defineChannel({ ...base, onPublish: () => false });
});

test("a definition with a misspelt key or a wrong setting does not compile", () => {
  // @ts-expect-error the key is `paramsSchema`
  defineChannel({ public: true, paramSchema: paramsSchema });
  // @ts-expect-error there are "sse" and "ws"
  defineChannel({ public: true, transport: "websocket" });
  // @ts-expect-error a setting is in ms
  defineChannel({ public: true, replayWindowMs: "24h" });
  // @ts-expect-error the key is `headerName`
  defineChannel({ auth: { header: "authorization" }, verify: () => allow() });
  // @ts-expect-error a message has a schema
  defineChannel({ public: true, messages: { say: "string" } });
});

test("createChannels takes channels by their names, and both ways give the two handlers", () => {
  expectTypeOf(() => createChannels({ board, "game/news": news })).returns.toEqualTypeOf<Channels>();
  expectTypeOf(loadChannels).returns.resolves.toEqualTypeOf<Channels>();
  expectTypeOf<Channels["fetch"]>().toEqualTypeOf<(request: Request) => Promise<Response>>();
  expectTypeOf([
    // @ts-expect-error options are no channel
    () => createChannels({ board: { public: true } }),
    // @ts-expect-error a channel has a name
    () => createChannels(board),
  ]).toBeArray();
});

test("the middleware fits the servers of Node", () => {
  const serve = ({ middleware }: Channels): unknown[] => [
    createServer((request, response) => middleware(request, response, () => response.end())),
    createHttp2Server((request, response) => middleware(request, response, () => response.end())),
  ];
  expectTypeOf(serve).toBeFunction();
});
