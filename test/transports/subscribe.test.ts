import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Message } from "#src/protocol/message.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { Refusal } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

const CHANNELS = {
  chat: PUBLIC_ROOMS,
  "game/moves": { transport: "ws", public: true },
  typed: {
    transport: "ws",
    public: true,
    paramsSchema: {
      type: "object",
      properties: {
        level: { type: "integer", minimum: 1 },
        isOpen: { type: "boolean", default: true },
        name: { type: "string" },
      },
      required: ["level"],
    },
  },
};

let server: TestServer;
let rooms = 0;

beforeAll(async () => {
  server = await startTestServer({ channels: CHANNELS });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A room that no other test uses. */
function newRoom(): string {
  rooms += 1;
  return `chat?room=${rooms}`;
}

function urlOf(channel: string): string {
  return `${server.url}/channels/${channel}`;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Publishes data `first` to `last`, each as a message. */
function publishNumbers(room: string, first: number, last: number): Promise<string[]> {
  return server.publish(
    room,
    numbers(first, last).map((data) => ({ type: "number", data })),
  );
}

const BAD_PARAMS = { SSE: 400, WebSocket: 4422 };

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
  /** The refusal of a connection that must not be granted. */
  async function refusalOf(url: string): Promise<Refusal> {
    const outcome = await connect(url).catch((error: unknown) => error);
    if (outcome instanceof Refusal) return outcome;
    throw new Error(`expected a refusal of ${url}, got ${String(outcome)}`);
  }

  it("gets messages that say who they are", async () => {
    const room = newRoom();
    const { log, close } = await connect(urlOf(room));
    const before = Date.now();
    const [id] = await server.publish(room, { type: "greeting", data: { text: "hi" } });
    const [message] = await log.waitFor(1);
    const { time, ...rest } = JSON.parse(message?.json ?? "") as Message;
    expect(rest).toEqual({ id, channel: "chat", type: "greeting", data: { text: "hi" } });
    expect(time).toBeGreaterThanOrEqual(before - 1_000);
    close();
  });

  it("reads a channel whose name has segments", async () => {
    const { log, close } = await connect(urlOf("game/moves"));
    const [id] = await server.publish("game/moves", { type: "move", data: "e4" });
    expect(await log.waitFor(1)).toMatchObject([{ id }]);
    close();
  });

  describe("with params", () => {
    it("gets the messages of its own room only", async () => {
      const [a, b] = [newRoom(), newRoom()];
      const { log, close } = await connect(urlOf(a));
      await publishNumbers(b, 100, 100);
      await publishNumbers(a, 1, 1);
      expect(await log.dataOf(1)).toEqual([1]);
      close();
    });

    it("shares a room with all who mean the same values", async () => {
      const { log, close } = await connect(urlOf("typed?name=a%20b&level=1"));
      await server.publish("typed?isOpen=true&level=1&name=a+b", { type: "number", data: 1 });
      expect(await log.dataOf(1)).toEqual([1]);
      close();
    });

    it.each([
      ["typed", "the param `level` is missing", undefined],
      ["typed?level=one", "the param `level` must be integer, got `one`", undefined],
      ["typed?level=0", "the param `level` must be >= 1", undefined],
      ["typed?level=1&level=2", "the param `level` must be given once, got it twice", undefined],
      ["typed?lvel=1", "`typed` has no param `lvel`", "did you mean `level`?"],
      ["chat?romo=1", "`chat` has no param `romo`", "did you mean `room`?"],
      ["chat?room=%ff", "the param `room` must be percent-encoded UTF-8", undefined],
      ["chat?room=%c3%28", "the param `room` must be percent-encoded UTF-8", undefined],
      ["chat?room=100%", "the param `room` must be percent-encoded UTF-8", undefined],
      ["chat?%ff=1", "the param `%ff` must be percent-encoded UTF-8", undefined],
    ])("is refused %s", async (channel, text, fix) => {
      const { number, code, fields } = await refusalOf(urlOf(channel));
      expect({ number, code }).toEqual({ number: BAD_PARAMS[name], code: "params_invalid" });
      expect(fields["detail"] ?? fields["message"]).toContain(text);
      if (fix !== undefined) expect(fields["fix"]).toBe(fix);
    });
  });

  it.each([
    ["12345678901234567890"],
    ["1.0"],
    ["-0"],
    ["1e400"],
    ['"\\u00e9\\ud83d\\ude00 é😀  \\u0000"'],
    ['{"b":1,"a":2,"b":3}'],
    ['"id: 0\\ndata: forged\\n\\n"'],
    ['{ "a" :\t[ 1 , 2 ] }'],
  ])("gets the data %s as the writer wrote it", async (dataText) => {
    const room = newRoom();
    const { log, close } = await connect(urlOf(room));
    await server.publish(room, `{"type":"exact","data":${dataText}}`);
    const [message] = await log.waitFor(1);
    expect(message?.json).toContain(`"data":${dataText},"time":`);
    close();
  });

  it.each([
    ["line feeds", "[1,\n2,\n\n3]"],
    ["carriage returns", "[1,\r2,\r\r3]"],
    ["both", "[1,\r\n2,\r\n\r\n3]"],
    ["what looks like another event", '{\n\n"id: 9\\ndata" :\n\n1\n,"event":2}'],
  ])("gets one whole message where the writer's JSON has %s between tokens", async (_, dataText) => {
    const room = newRoom();
    const { log, close } = await connect(urlOf(room));
    await server.publish(room, `{"type":"lines","data":${dataText}}`);
    await server.publish(room, { type: "after", data: "after" });
    expect(await log.dataOf(2)).toEqual([JSON.parse(dataText), "after"]);
    close();
  });

  it.each(["a\nid: 1", "a\r\rdata: forged", "\u2028", "a\\u0000", '"},"from":"admin'])(
    "gets a message of the type %j and nothing forged by it",
    async (type) => {
      const room = newRoom();
      const { log, close } = await connect(urlOf(room));
      await server.publish(room, { type, data: 1, from: "admin", id: "forged", time: 0, channel: "other" });
      const [message] = await log.waitFor(1);
      const { time, ...rest } = JSON.parse(message?.json ?? "") as Message;
      expect(rest).toEqual({ id: message?.id, channel: "chat", type, data: 1 });
      expect(time).toBeGreaterThan(0);
      close();
    },
  );
});
