import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Message } from "#src/protocol/message.ts";
import { encodeOffset, ORIGIN, parseOffset } from "#src/protocol/offset.ts";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { Refusal } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

const CHANNELS = {
  chat: PUBLIC_ROOMS,
  "game/moves": { transport: "ws", public: true },
  fleeting: { ...PUBLIC_ROOMS, replayWindowMs: 0 },
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
function newRoom(channel = "chat"): string {
  rooms += 1;
  return `${channel}?room=${rooms}`;
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

/** The id after which there is `position - 1` of the same stream. */
function shift(id: string, by: { incarnation?: number; position?: number }): string {
  const { incarnation, position } = parseOffset(id) ?? ORIGIN;
  return encodeOffset({
    incarnation: incarnation + (by.incarnation ?? 0),
    position: position + (by.position ?? 0),
  });
}

const GONE = { SSE: 410, WebSocket: 4410 };
const BAD_PARAMS = { SSE: 400, WebSocket: 4422 };
const MALFORMED = { SSE: 400, WebSocket: 4400 };
const UNKNOWN = { SSE: 404, WebSocket: 4404 };

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
  /** The refusal of a connection that must not be granted. */
  async function refusalOf(url: string): Promise<Refusal> {
    const outcome = await connect(url).catch((error: unknown) => error);
    if (outcome instanceof Refusal) return outcome;
    throw new Error(`expected a refusal of ${url}, got ${String(outcome)}`);
  }

  it("gets what is published from now on, in order", async () => {
    const room = newRoom();
    await publishNumbers(room, 1, 3);
    const { log, close } = await connect(urlOf(room));
    await publishNumbers(room, 4, 6);
    await publishNumbers(room, 7, 7);
    expect(await log.dataOf(4)).toEqual([4, 5, 6, 7]);
    close();
  });

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

  describe("that says where to start", () => {
    it.each([
      ["the Last-Event-ID header", (id: string) => ({ query: "", headers: { "last-event-id": id } })],
      ["last_message_id", (id: string) => ({ query: `&last_message_id=${id}`, headers: {} })],
      [
        "Last-Event-ID before last_message_id and rewind",
        (id: string) => ({ query: "&last_message_id=start&rewind=1", headers: { "last-event-id": id } }),
      ],
      [
        "last_message_id before rewind",
        (id: string) => ({ query: `&last_message_id=${id}&rewind=1`, headers: {} }),
      ],
    ])("resumes after %s, then goes on live", async (_, ask) => {
      const room = newRoom();
      const ids = await publishNumbers(room, 1, 5);
      const { query, headers } = ask(ids[1] ?? "");
      const { log, startId, close } = await connect(urlOf(room) + query, { headers });
      await publishNumbers(room, 6, 7);
      expect(startId).toBe(ids[1]);
      expect(await log.dataOf(5)).toEqual([3, 4, 5, 6, 7]);
      close();
    });

    it("resumes exactly from the position it was told first, when it has read nothing", async () => {
      const room = newRoom();
      await publishNumbers(room, 1, 2);
      const first = await connect(urlOf(room));
      first.close();
      await publishNumbers(room, 3, 4);
      const second = await connect(`${urlOf(room)}&last_message_id=${first.startId}`);
      expect(await second.log.dataOf(2)).toEqual([3, 4]);
      second.close();
    });

    it("resumes a stream that nobody had published to", async () => {
      const room = newRoom();
      const first = await connect(urlOf(room));
      expect(first.startId).toBe("0000000000000000_0000000000000000");
      first.close();
      await publishNumbers(room, 1, 2);
      const second = await connect(`${urlOf(room)}&last_message_id=${first.startId}`);
      expect(await second.log.dataOf(2)).toEqual([1, 2]);
      second.close();
    });

    it.each([
      ["last_message_id=start", [1, 2, 3, 4]],
      ["rewind=2", [3, 4]],
      ["rewind=100", [1, 2, 3, 4]],
      ["rewind=10m", [1, 2, 3, 4]],
      ["rewind=0", []],
      ["rewind=0ms", []],
    ])("replays with %s", async (query, replayed) => {
      const room = newRoom();
      await publishNumbers(room, 1, 4);
      // The messages of `rewind=0ms` must be at least 1 ms old.
      await vi.waitFor(async () => expect(await timeOfLast(room)).toBeLessThan(Date.now()), PATIENT);
      const { log, close } = await connect(`${urlOf(room)}&${query}`);
      await publishNumbers(room, 5, 5);
      expect(await log.dataOf(replayed.length + 1)).toEqual([...replayed, 5]);
      close();
    });

    it.each([
      [
        "last_message_id=nonsense",
        "`last_message_id` must be the id of a message or `start`, got `nonsense`",
      ],
      ["rewind=soon", "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `soon`"],
      ["rewind=-1", "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `-1`"],
    ])("is refused %s", async (query, text) => {
      const { number, code, fields } = await refusalOf(`${urlOf(newRoom())}&${query}`);
      expect({ number, code }).toEqual({ number: MALFORMED[name], code: "malformed" });
      expect(fields["detail"] ?? fields["message"]).toBe(text);
    });
  });

  describe("that has missed something for good", () => {
    it.each([
      ["an id ahead of the tail", { position: 1 }],
      ["an id of another stream", { incarnation: 1_000 }],
    ])("is told to start afresh with %s", async (_, by) => {
      const room = newRoom();
      const ids = await publishNumbers(room, 1, 3);
      const { number, code, fields } = await refusalOf(
        `${urlOf(room)}&last_message_id=${shift(ids[2] ?? "", by)}`,
      );
      expect({ number, code }).toEqual({ number: GONE[name], code: "replay_window_exceeded" });
      expect(fields).toMatchObject({ oldest: shift(ids[0] ?? "", { position: -1 }), newest: ids[2] });
      const { log, close } = await connect(`${urlOf(room)}&last_message_id=${String(fields["oldest"])}`);
      expect(await log.dataOf(3)).toEqual([1, 2, 3]);
      close();
    });

    it("is told so for an id of a stream that there is not", async () => {
      const [id] = await publishNumbers(newRoom(), 1, 1);
      const { number, fields } = await refusalOf(`${urlOf(newRoom())}&last_message_id=${id}`);
      expect(number).toBe(GONE[name]);
      expect(fields).toMatchObject({ oldest: encodeOffset(ORIGIN), newest: encodeOffset(ORIGIN) });
    });

    it("is told so when what it missed is past the replay window", async () => {
      const room = newRoom("fleeting");
      const ids = await publishNumbers(room, 1, 2);
      await vi.waitFor(async () => {
        const { number, fields } = await refusalOf(`${urlOf(room)}&last_message_id=${ids[0]}`);
        expect(number).toBe(GONE[name]);
        expect(fields).toMatchObject({ oldest: ids[1], newest: ids[1] });
      }, PATIENT);
    });

    it("is not told so when it has missed nothing, though all it has read is past the window", async () => {
      const room = newRoom("fleeting");
      const ids = await publishNumbers(room, 1, 2);
      await vi.waitFor(() => refusalOf(`${urlOf(room)}&last_message_id=${ids[0]}`), PATIENT);
      const { startId, close } = await connect(`${urlOf(room)}&last_message_id=${ids[1]}`);
      expect(startId).toBe(ids[1]);
      close();
    });

    it("is never told so with the id `start`", async () => {
      const room = newRoom("fleeting");
      const ids = await publishNumbers(room, 1, 2);
      await vi.waitFor(() => refusalOf(`${urlOf(room)}&last_message_id=${ids[0]}`), PATIENT);
      const { startId, close } = await connect(`${urlOf(room)}&last_message_id=start`);
      expect(startId).toBe(ids[1]);
      close();
    });
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

  it.each(["nope", "authorize", "on-publish", "chat/authorize", "", "chat/", "Chat", "%63hat"])(
    "is refused the unknown channel `%s`",
    async (channel) => {
      const { number, code } = await refusalOf(urlOf(channel));
      expect({ number, code }).toEqual({ number: UNKNOWN[name], code: "channel_unknown" });
    },
  );

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

  async function timeOfLast(room: string): Promise<number> {
    const { log, close } = await connect(`${urlOf(room)}&rewind=1`);
    const [message] = await log.waitFor(1);
    close();
    return (JSON.parse(message?.json ?? "") as Message).time;
  }
});

it("gives the same JSON over SSE and WebSocket, replayed and live", async () => {
  const room = newRoom();
  const texts = ["12345678901234567890", "1.0", '"é😀"', '{ "a": [1, 2] }'];
  const body = `[${texts.map((text) => `{"type":"same","data":${text}}`).join(",")}]`;
  const live = await Promise.all([sseClient.connect(urlOf(room)), webSocketClient.connect(urlOf(room))]);
  await server.publish(room, body);
  const replayed = await Promise.all(
    [sseClient, webSocketClient].map(({ connect }) => connect(`${urlOf(room)}&last_message_id=start`)),
  );
  const [first, ...others] = await Promise.all(
    [...live, ...replayed].map(({ log }) => log.waitFor(texts.length)),
  );
  for (const other of others) expect(other).toEqual(first);
  for (const { close } of [...live, ...replayed]) close();
});
