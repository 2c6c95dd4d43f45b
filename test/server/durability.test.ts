import { rmSync } from "node:fs";
import { expect, it } from "vitest";
import { jsonBody, makeProject, PUBLIC_ROOMS, toMessagesPath } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const CHANNELS = { chat: PUBLIC_ROOMS };
const ROUNDS = 4;
const ACKS_A_ROUND = 300;
const IN_FLIGHT = 64;

it("has everything that it acknowledged, once and in order, after each kill -9", async () => {
  const root = makeProject();
  const acknowledged: Acknowledged[] = [];
  let sent = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    await using server = await startServerProcess(root, CHANNELS);
    sent = await publishUntil({ server, acknowledged, sent, count: round * ACKS_A_ROUND });
    await server.kill();
  }
  await using server = await startServerProcess(root, CHANNELS);
  const [end] = await publish(server, { type: "end", data: 0 });
  const { log, close } = await openSse(`${server.url}/channels/chat?last_message_id=start`);
  const messages = await log.waitFor(Number(end?.split("_")[1]));
  close();
  const stored = new Map(messages.map(({ id, json }) => [id, (JSON.parse(json) as { data: number }).data]));
  const numbers = [...stored.values()].slice(0, -1);

  expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS * ACKS_A_ROUND);
  for (const { id, data } of acknowledged) expect(stored.get(id)).toBe(data);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  await server.kill();
  rmSync(root, { recursive: true, force: true });
});

it("stores once what is published again with its key after a kill -9", async () => {
  const root = makeProject();
  const body = { type: "m", data: "once" };
  const first = await startServerProcess(root, CHANNELS);
  const ids = await publish(first, body, { "idempotency-key": "k" });
  await first.kill();
  await using second = await startServerProcess(root, CHANNELS);
  expect(await publish(second, body, { "idempotency-key": "k" })).toEqual(ids);
  expect(await publish(second, body)).toEqual([expect.stringMatching(/2$/)]);
  await second.kill();
  rmSync(root, { recursive: true, force: true });
});

interface Acknowledged {
  readonly id: string;
  readonly data: number;
}

/** Publishes numbers over one WebSocket until `count` are acknowledged in all. Returns the last number sent. */
async function publishUntil({
  server,
  acknowledged,
  sent,
  count,
}: {
  server: ServerProcess;
  acknowledged: Acknowledged[];
  sent: number;
  count: number;
}): Promise<number> {
  const { webSocket } = await openWebSocket(`${server.internalUrl}/channels/chat`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  let last = sent;
  const sendNext = (): void => {
    last += 1;
    webSocket.send(JSON.stringify({ type: "number", data: last, ref: last }));
  };
  await new Promise<void>((resolve) => {
    webSocket.on("message", (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString("utf8")) as { control?: string; id: string; ref: number };
      if (frame.control !== "ack") return;
      acknowledged.push({ id: frame.id, data: frame.ref });
      if (acknowledged.length >= count) resolve();
      else sendNext();
    });
    for (let index = 0; index < IN_FLIGHT; index += 1) sendNext();
  });
  return last;
}

async function publish(
  server: ServerProcess,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const init = jsonBody(body, { authorization: `Bearer ${server.token}`, ...headers });
  const response = await fetch(server.internalUrl + toMessagesPath("chat"), init);
  const { ids } = (await response.json()) as { ids: string[] };
  return ids;
}
