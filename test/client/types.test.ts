import { expectTypeOf, test } from "vitest";
import { connect } from "#src/client.ts";
import type { ChannelError, Connection, Gap, Message, Status } from "#src/client.ts";
import { defineChannel } from "#src/index.ts";
import { useChannel } from "#src/react.ts";

const chat = defineChannel({
  transport: "ws",
  public: true,
  paramsSchema: {
    type: "object",
    properties: { room: { type: "string" }, limit: { type: "integer" } },
    required: ["room"],
  },
  messages: {
    say: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    leave: { type: "null" },
  },
});
const news = defineChannel({ public: true });
type Chat = typeof chat;
type News = typeof news;

const url = "https://localhost:4433";

test("the params of a connection are those of the definition", () => {
  expectTypeOf(() => connect<Chat>("chat", { url, params: { room: "a", limit: 3 } })).toBeFunction();
  // @ts-expect-error `room` is a text
  expectTypeOf(() => connect<Chat>("chat", { url, params: { room: 1 } })).toBeFunction();
  // @ts-expect-error there is no `rom`
  expectTypeOf(() => connect<Chat>("chat", { url, params: { rom: "a" } })).toBeFunction();
  // @ts-expect-error `room` is required
  expectTypeOf(() => connect<Chat>("chat", { url })).toBeFunction();
  // @ts-expect-error `room` is required
  expectTypeOf(() => connect<Chat>("chat")).toBeFunction();
});

test("a channel without params needs no options, and takes none", () => {
  expectTypeOf(() => connect<News>("news")).toBeFunction();
  // @ts-expect-error it has no param
  expectTypeOf(() => connect<News>("news", { params: { room: "a" } })).toBeFunction();
});

test("messages and publishes have the types of the definition", () => {
  type Say = Message<"say", { readonly text: string }>;
  type Leave = Message<"leave", null>;
  const listens = (connection: Connection<Chat>) => {
    connection.on("message", (message) => {
      expectTypeOf(message).toEqualTypeOf<Say | Leave>();
      if (message.type === "say") expectTypeOf(message.data.text).toEqualTypeOf<string>();
    });
    connection.on("gap", (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>());
    connection.on("status", (status) => expectTypeOf(status).toEqualTypeOf<Status>());
    connection.on("error", (error) => expectTypeOf(error).toEqualTypeOf<ChannelError>());
    // @ts-expect-error there is no such event
    connection.on("massage", () => {});
    void connection.publish({ type: "say", data: { text: "hi" } });
    // @ts-expect-error `text` is a text
    void connection.publish({ type: "say", data: { text: 1 } });
    // @ts-expect-error there is no such type
    void connection.publish({ type: "shout", data: { text: "hi" } });
  };
  expectTypeOf(listens).toBeFunction();
});

test("without a definition any params, and any data", () => {
  expectTypeOf(() => connect("chat", { url, params: { room: "a", limit: 1, isNew: true } })).toBeFunction();
  const reads = (connection: Connection) =>
    connection.on("message", ({ data }) => expectTypeOf(data).toBeUnknown());
  expectTypeOf(reads).toBeFunction();
});

test("the hook's types are those of the definition", () => {
  const Room = () => {
    const { messages, publish } = useChannel<Chat>("chat", { room: "a" }, { rewind: 50 });
    expectTypeOf(messages[0]?.type).toEqualTypeOf<"say" | "leave" | undefined>();
    // @ts-expect-error there is no such type
    void publish({ type: "shout", data: null });
    // @ts-expect-error `room` is a text
    useChannel<Chat>("chat", { room: 1 });
  };
  expectTypeOf(Room).toBeFunction();
});
