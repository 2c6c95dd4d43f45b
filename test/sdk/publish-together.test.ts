import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { createChannels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

const paramsSchema = { type: "object", properties: { room: { type: "string" } } } as const;
const messages = { number: { type: "integer" }, text: { type: "string" } } as const;
const chat = defineChannel({ public: true, paramsSchema, messages });
createChannels({ chat });

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: { chat: { public: true, paramsSchema, messages } },
    limits: { maxMessageBytes: 60_000, maxBatchMessages: 400 },
  });
  vi.stubEnv("CHANCTL_URL", server.internalUrl);
  vi.stubEnv("CHANCTL_TOKEN", server.token);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

/** How many messages travelled together to a room, one number a POST. */
function posts(room: string): number[] {
  return server.logged
    .filter(({ event, fields }) => event === "publish" && fields?.["path"] === `chat/room=${room}`)
    .map(({ fields }) => (fields as { messages: number }).messages);
}

async function stored(room: string, count: number): Promise<unknown[]> {
  const { log, close } = await openSse(`${server.url}/channels/chat?room=${room}&last_message_id=start`);
  const data = await log.dataOf(count);
  close();
  return data;
}

test("what is called in one turn travels in one POST, and what is called meanwhile in the next", async () => {
  const publishAll = (from: number) =>
    Array.from({ length: 10 }, (_, index) =>
      chat.publish({ room: "turn" }, { type: "number", data: from + index }),
    );
  const first = publishAll(0);
  await new Promise((resolve) => setImmediate(resolve));
  const second = [...publishAll(10), ...publishAll(20)];
  const ids = (await Promise.all([...first, ...second])).map(({ id }) => id);
  expect(posts("turn")).toEqual([10, 20]);
  expect(await stored("turn", 30)).toEqual(Array.from({ length: 30 }, (_, index) => index));
  expect(ids).toEqual(ids.toSorted());
});

test("one that does not fit is refused alone, and the others are stored in their order", async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      index === 13
        ? chat.publish({ room: "faulty" }, { type: "number", data: "thirteen" as never })
        : chat.publish({ room: "faulty" }, { type: "number", data: index }),
    ),
  );
  const refused = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(refused.map(({ reason }) => reason as unknown)).toEqual([
    expect.objectContaining({ code: "message_invalid", message: 'data must be integer, got `"thirteen"`' }),
  ]);
  expect(outcomes[13]?.status).toBe("rejected");
  expect(await stored("faulty", 19)).toEqual([...Array(20).keys()].filter((index) => index !== 13));
});

test("more than the broker takes at once are stored all the same", async () => {
  const count = 1_100;
  const sent = Array.from({ length: count }, (_, index) =>
    chat.publish({ room: "many" }, { type: "number", data: index }),
  );
  const long = Array.from({ length: 20 }, () =>
    chat.publish({ room: "many" }, { type: "text", data: "x".repeat(50_000) }),
  );
  await Promise.all([...sent, ...long]);
  const data = await stored("many", count + 20);
  expect(data.slice(0, count)).toEqual([...Array(count).keys()]);
  expect(posts("many").length).toBeLessThan(20);
});

test("one with a key, a time-out or a signal of its own travels alone", async () => {
  const message = { type: "number", data: 1 } as const;
  const { signal } = new AbortController();
  await Promise.all([
    chat.publish({ room: "alone" }, message),
    chat.publish({ room: "alone" }, message, {}),
    chat.publish({ room: "alone" }, message, { idempotencyKey: "k" }),
    chat.publish({ room: "alone" }, message, { timeoutMs: 20_000 }),
    chat.publish({ room: "alone" }, message, { signal }),
  ]);
  expect(posts("alone").toSorted((a, b) => a - b)).toEqual([1, 1, 1, 2]);
});

test("rooms do not wait for each other", async () => {
  await Promise.all(
    ["a", "b"].map((room) => chat.publish({ room: `own-${room}` }, { type: "number", data: 1 })),
  );
  expect(posts("own-a")).toEqual([1]);
  expect(posts("own-b")).toEqual([1]);
});

test("is stored as it was when it was published, whatever the caller does to it afterwards", async () => {
  const message: { type: "number"; data: number } = { type: "number", data: 1 };
  const params = { room: "copied" };
  const publishing = chat.publish(params, message);
  message.data = 2;
  params.room = "other";
  await publishing;
  expect(await stored("copied", 1)).toEqual([1]);
});
