import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseOffset } from "#src/protocol/offset.ts";
import { seededRandom } from "../support/random.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import type { Received, Subscriber } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const SUBSCRIBERS = 100;
const MESSAGES = 4_000;
/** Publishes that wait for their acknowledgement at any time. */
const IN_FLIGHT = 128;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([sseClient, webSocketClient])(
  "the hand-over from replay to live over $name",
  ({ name, connect }) => {
    it("loses nothing and repeats nothing for 100 subscribers that join at random moments of a full-speed publisher", async () => {
      const seed = Date.now() % 1_000_000;
      const random = seededRandom(seed);
      const url = `${server.url}/channels/chat?room=${name}`;
      const publisher = await startPublisher(`${server.internalUrl}/channels/chat?room=${name}`);
      const joining = Array.from({ length: SUBSCRIBERS }, async () => {
        await publisher.reached(Math.floor(random() * MESSAGES * 0.9));
        return connect(url + pickStart(random, publisher.ids));
      });
      const subscribers = await Promise.all(joining);
      const newest = await publisher.done;
      await Promise.all(subscribers.map((subscriber) => untilReceived(subscriber, newest)));

      const all = await connect(`${url}&last_message_id=start`);
      await untilReceived(all, newest);
      expect(all.log.received, `seed ${seed}`).toHaveLength(MESSAGES);
      expect(idsOf(all.log.received), `seed ${seed}`).toEqual(publisher.ids);
      for (const { startId, log } of subscribers) {
        const first = parseOffset(startId)?.position ?? 0;
        expect(log.received, `seed ${seed}, from ${startId}`).toEqual(all.log.received.slice(first));
      }
      for (const { close } of [all, ...subscribers]) close();
    });
  },
);

/** From where one subscriber reads: each way about as often. */
function pickStart(random: () => number, ids: readonly string[]): string {
  const ways = [
    () => "",
    () => "&last_message_id=start",
    () => `&rewind=${Math.floor(random() * 500)}`,
    () => "&rewind=10m",
    () => `&last_message_id=${ids[Math.floor(random() * ids.length)] ?? "start"}`,
    () => `&last_message_id=${ids.at(-1) ?? "start"}`,
  ];
  return ways[Math.floor(random() * ways.length)]?.() ?? "";
}

interface Publisher {
  /** The ids that were acknowledged so far, in order. */
  readonly ids: readonly string[];
  /** Resolves once this many were. */
  reached(count: number): Promise<void>;
  /** Resolves with the last id once all were. */
  readonly done: Promise<string>;
}

/** Publishes as the app, over one WebSocket, as fast as acknowledgements allow. */
async function startPublisher(url: string): Promise<Publisher> {
  const { webSocket, close } = await openWebSocket(url, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  const ids: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let sent = 0;
  const sendNext = (): void => {
    if (sent === MESSAGES) return;
    sent += 1;
    webSocket.send(JSON.stringify({ type: "number", data: sent, ref: sent }));
  };
  webSocket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString("utf8")) as { control?: string; id: string };
    if (frame.control !== "ack") return;
    ids.push(frame.id);
    for (const { count, resolve } of waiting) if (ids.length >= count) resolve();
    sendNext();
  });
  const reached = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (ids.length >= count) resolve();
      else waiting.push({ count, resolve });
    });
  for (let index = 0; index < IN_FLIGHT; index += 1) sendNext();
  const done = reached(MESSAGES).then(() => {
    close();
    return ids.at(-1) ?? "";
  });
  return { ids, reached, done };
}

/** Waits until the message with this id is there, or the reader has begun after it. */
async function untilReceived({ startId, log }: Subscriber, id: string): Promise<void> {
  const missing = (parseOffset(id)?.position ?? 0) - (parseOffset(startId)?.position ?? 0);
  await log.waitFor(missing);
}

function idsOf(messages: readonly Received[]): string[] {
  return messages.map(({ id }) => id);
}
