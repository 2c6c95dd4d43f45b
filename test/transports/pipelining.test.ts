import { afterAll, beforeAll, expect, it } from "vitest";
import { dial, readUntil } from "../support/raw-connection.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

const LIMIT = 3;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: { chat: PUBLIC_ROOMS },
    limits: { maxConnectionsPerAddress: LIMIT },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const SUBSCRIBE = "GET /channels/chat HTTP/1.1\r\nhost: a\r\n\r\n";

it("subscribers that are pipelined behind another take no place, and leave none taken when their connection goes", async () => {
  const socket = await dial(server);
  socket.write(SUBSCRIBE.repeat(20));
  await readUntil(socket, (received) => received.includes("id: "));
  const others = [await openSse(`${server.url}/channels/chat`)];
  socket.destroy();
  await expect.poll(() => server.logged.filter(({ event }) => event === "disconnect").length).toBe(1);
  while (others.length < LIMIT) others.push(await openSse(`${server.url}/channels/chat`));
  for (const { close } of others) close();
});

it("an event stream behind a request that is answered is served", async () => {
  const socket = await dial(server);
  socket.write(`GET /channels/nope HTTP/1.1\r\nhost: a\r\n\r\n${SUBSCRIBE}`);
  const received = await readUntil(socket, (text) => text.includes("id: "));
  expect(received).toMatch(/^HTTP\/1.1 404 [^]*HTTP\/1.1 200 /);
  socket.destroy();
});
