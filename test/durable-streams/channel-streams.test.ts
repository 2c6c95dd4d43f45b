import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Message } from "#src/protocol/message.ts";
import { openEvents } from "../support/stream-events.ts";
import { nextOffset, startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";
import { PUBLIC_ROOMS } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

let server: StreamServer;
beforeAll(
  async () =>
    void (server = await startStreamServer({
      channels: {
        chat: PUBLIC_ROOMS,
        short: { ...PUBLIC_ROOMS, maxMessages: 3 },
      },
    })),
);
afterAll(() => server[Symbol.asyncDispose]());

describe("a channel, read as a stream (PROTOCOL.md, section 5.6)", () => {
  it("has what a WebSocket client publishes, by each mode of the protocol's client", async () => {
    const url = server.user.url("chat/room=lobby");
    const { send, control } = await openWebSocket(`${server.url}/channels/chat?room=lobby`);
    const live = (["long-poll", "sse"] as const).map((mode) => firstItems(url, { live: mode, count: 3 }));
    for (const [index, data] of ["one", 2, { three: 3 }].entries()) {
      send({ type: "said", data, ref: String(index) });
      await control({ ref: String(index) });
    }
    for (const messages of [
      ...(await Promise.all(live)),
      await (await stream<Message>({ url, live: false })).json(),
    ]) {
      expect(messages.map(({ data }) => data)).toEqual(["one", 2, { three: 3 }]);
      for (const { channel, type } of messages) expect([channel, type]).toEqual(["chat", "said"]);
    }
  });

  it.each(["now", "-1", "0000000000000000_0000000000000000"])(
    "holds a long-poll of a room that nobody has published to, from %s, until somebody does (section 5.7)",
    async (offset) => {
      const patient = { pollTimeoutMs: 20_000 };
      await using quiet = await startStreamServer({ channels: { chat: PUBLIC_ROOMS }, streams: patient });
      const room = `empty-${offset}`;
      const url = quiet.user.url(`chat/room=${room}`);
      let isAnswered = false;
      const polled = fetch(`${url}?offset=${offset}&live=long-poll`).then((response) => {
        isAnswered = true;
        return response;
      });
      await openSse(`${quiet.url}/channels/chat?room=${room}`).then(({ close }) => close());
      expect(isAnswered).toBe(false);
      await new DurableStream({ url, contentType: "application/json" }).append('{"type":"said","data":1}');
      const response = await polled;
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject([{ data: 1 }]);
    },
  );

  it("brings what the protocol's client appends to WebSocket and SSE subscribers, each once", async () => {
    const url = server.user.url("chat/room=back");
    const subscribers = await Promise.all([
      openWebSocket(`${server.url}/channels/chat?room=back`),
      openSse(`${server.url}/channels/chat?room=back`),
    ]);
    const handle = new DurableStream({ url, contentType: "application/json" });
    await handle.append(JSON.stringify({ type: "said", data: "one" }));
    const producer = new IdempotentProducer(handle, "writer", { lingerMs: 0 });
    for (const data of [2, { three: 3 }]) producer.append(JSON.stringify({ type: "said", data }));
    await producer.flush();
    for (const { log, close } of subscribers) {
      expect(await log.dataOf(3)).toEqual(["one", 2, { three: 3 }]);
      close();
    }
    const messages = await (await stream<Message>({ url, live: false })).json();
    expect(messages.map(({ data }) => data)).toEqual(["one", 2, { three: 3 }]);
  });

  it("gives offsets that resume its SSE, and takes the ids of its SSE as offsets", async () => {
    const room = "chat?room=ids";
    const ids = await server.publish(
      room,
      [1, 2, 3].map((data) => ({ type: "n", data })),
    );
    const { user } = server;
    const whole = await user.get("chat/room=ids");
    expect(nextOffset(whole)).toBe(ids[2]);
    const rest = (await (await user.get(`chat/room=ids?offset=${ids[0]}`)).json()) as Message[];
    expect(rest.map(({ id }) => id)).toEqual(ids.slice(1));
    const subscriber = await openSse(`${server.url}/channels/${room}&last_message_id=${ids[1]}`);
    expect(await subscriber.log.dataOf(1)).toEqual([3]);
    subscriber.close();
    // The same bytes on both sides.
    const open = await openEvents(user.url(`chat/room=ids?offset=${ids[1]}&live=sse`));
    await open.until(({ data }) => data() !== "");
    expect(open.data()).toBe(`[${subscriber.log.received[0]?.json}]`);
    expect(open.controls()[0]?.streamNextOffset).toBe(ids[2]);
    open.close();
  });

  it("keeps the writer's bytes in `data`", async () => {
    await server.publish("chat?room=exact", '{"type":"n","data":[12345678901234567890, 1.0]}');
    expect(await (await server.user.get("chat/room=exact")).text()).toContain(
      '"data":[12345678901234567890, 1.0]',
    );
  });

  it("is there before anybody has published, and stores nothing by being read", async () => {
    const { user } = server;
    const response = await user.get("chat/room=nobody");
    expect([response.status, await response.text()]).toEqual([200, "[]"]);
    expect((await user.head("chat/room=nobody")).headers.get("content-type")).toBe("application/json");
    const open = await openEvents(user.url("chat/room=nobody?offset=-1&live=sse"));
    await open.until(({ controls }) => controls().some(({ upToDate }) => upToDate));
    await server.publish("chat?room=nobody", { type: "n", data: 1 });
    await open.until(({ data }) => data().includes('"data":1'));
    open.close();
  });

  it("answers 410 with the earliest offset to who has missed what was pruned (section 5.6)", async () => {
    const { user } = server;
    const ids = await server.publish(
      "short?room=a",
      Array.from({ length: 10 }, (_, data) => ({ type: "n", data })),
    );
    // Pruned in the background: a read of the whole begins later once it has.
    for (let kept = 10; kept > 3;)
      kept = ((await (await user.get("short/room=a")).json()) as unknown[]).length;
    const gone = await user.get(`short/room=a?offset=${ids[2]}`);
    expect(gone.status).toBe(410);
    const problem = (await gone.json()) as { code: string; oldest: string; newest: string };
    expect(problem).toMatchObject({ code: "offset_gone", oldest: ids[6], newest: ids[9] });
    const again = (await (await user.get(`short/room=a?offset=${problem.oldest}`)).json()) as Message[];
    expect(again.map(({ data }) => data)).toEqual([7, 8, 9]);
    for (const live of ["sse", "long-poll"])
      expect((await user.get(`short/room=a?offset=${ids[2]}&live=${live}`)).status).toBe(410);
    // Who has read all that is gone has missed nothing.
    expect((await user.get(`short/room=a?offset=${ids[6]}`)).status).toBe(200);
    expect((await user.get(`short/room=a?offset=${ids[9]}`)).status).toBe(200);
  });

  it("answers 410 to an offset of another stream, and to one that was never given out", async () => {
    const { user } = server;
    await server.publish("chat?room=mine", { type: "n", data: 1 });
    const [other] = await server.publish("chat?room=other", { type: "n", data: 1 });
    const mine = nextOffset(await user.get("chat/room=mine"));
    expect((await user.get(`chat/room=mine?offset=${other}`)).status).toBe(410);
    const ahead = mine.replace(/\d$/, "9");
    expect((await user.get(`chat/room=mine?offset=${ahead}`)).status).toBe(410);
  });

  it("refuses params that do not fit, and paths that are no stream of it", async () => {
    const { user } = server;
    expect((await user.get("chat/nonsense")).status).toBe(404);
    expect((await user.get("chat/unknown=1")).status).toBe(400);
    expect((await user.get("chat/room=a/room=b")).status).toBe(400);
  });
});

/** The first messages that come to somebody who reads live. */
async function firstItems(
  url: string,
  { live, count }: { live: "sse" | "long-poll"; count: number },
): Promise<Message[]> {
  const response = await stream<Message>({ url, live, offset: "-1" });
  const messages: Message[] = [];
  for await (const message of response.jsonStream()) {
    messages.push(message);
    if (messages.length === count) break;
  }
  response.cancel();
  return messages;
}
