import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ channels: { keep: PUBLIC_ROOMS }, watch: true });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Saves a definition and waits until it is live. */
async function save(name: string, definition: Record<string, unknown>): Promise<void> {
  server.define(name, definition);
  await expect
    .poll(() => server.running.registry.get(name)?.definition, PATIENT)
    .toMatchObject({ ...definition, paramsSchema: expect.anything() as unknown });
}

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
  const channel = `reloaded-${name.toLowerCase()}`;
  const url = (): string => `${server.url}/channels/${channel}`;

  it("is served a channel as soon as its file is there, and ended when it is removed", async () => {
    await expect(connect(url())).rejects.toMatchObject({ code: "channel_unknown" });
    await save(channel, PUBLIC_ROOMS);
    const { log } = await connect(url());
    const kept = await connect(`${server.url}/channels/keep`);
    server.undefine(channel);
    const { title, closeCode } = await log.ended;
    expect(title).toBe("no such channel");
    if (closeCode !== undefined) expect(closeCode).toBe(4404);
    await expect(connect(url())).rejects.toMatchObject({ code: "channel_unknown" });
    await server.publish("keep", { type: "m", data: 1 });
    expect(await kept.log.dataOf(1)).toEqual([1]);
    kept.close();
  });

  it("is asked to come back when params or auth have changed, and finds its place", async () => {
    await save(channel, PUBLIC_ROOMS);
    const { log, startId } = await connect(url());
    await save(channel, {
      ...PUBLIC_ROOMS,
      paramsSchema: { type: "object", properties: { room: { type: "string" }, page: { type: "integer" } } },
    });
    const { title, closeCode, afterMs } = await log.ended;
    expect(title).toBe("the channel has changed");
    expect(afterMs).toBeGreaterThanOrEqual(0);
    if (closeCode !== undefined) expect(closeCode).toBe(1012);
    await server.publish(channel, { type: "m", data: 1 });
    const back = await connect(`${url()}?last_message_id=${startId}`);
    expect(await back.log.dataOf(1)).toEqual([1]);
    await save(channel, { transport: "ws", auth: { headerName: "authorization" } });
    await back.log.ended;
    server.undefine(channel);
  });
});

it("says of a channel that has never loaded that it does not load, but not why", async () => {
  server.define("broken", { public: true, secretKey: 1 });
  await expect.poll(() => server.running.registry.isBroken("broken"), PATIENT).toBe(true);
  const answer = await fetch(`${server.url}/channels/broken`);
  expect(answer.status).toBe(404);
  const body = await answer.text();
  expect(JSON.parse(body)).toMatchObject({
    code: "channel_unknown",
    detail: "the channel `broken` does not load",
  });
  expect(body).not.toContain("secretKey");
  await save("broken", PUBLIC_ROOMS);
  expect(server.running.registry.isBroken("broken")).toBe(false);
  server.undefine("broken");
});

it("checks by the changed schemas of messages, on connections that stay", async () => {
  await save("checked", PUBLIC_ROOMS);
  const webSocket = await openWebSocket(`${server.url}/channels/checked`);
  const sse = await openSse(`${server.url}/channels/checked`);
  webSocket.send({ type: "any", data: 1, ref: 1 });
  expect(await webSocket.control({ ref: 1 })).toMatchObject({ control: "ack" });
  await save("checked", { ...PUBLIC_ROOMS, messages: { message: TEXT } });
  webSocket.send({ type: "any", data: 1, ref: 2 });
  expect(await webSocket.control({ ref: 2 })).toMatchObject({ control: "error", code: "message_invalid" });
  const posted = await fetch(server.url + toMessagesPath("checked"), jsonBody({ type: "any", data: 1 }));
  expect(posted.status).toBe(400);
  webSocket.send({ type: "message", data: { text: "hi" }, ref: 3 });
  expect(await sse.log.dataOf(2)).toEqual([1, { text: "hi" }]);
  webSocket.close();
  sse.close();
});

it("keeps the last good definition of a channel whose file is broken", async () => {
  await save("broken", PUBLIC_ROOMS);
  const { log, close } = await openSse(`${server.url}/channels/broken`);
  server.define("broken", { transport: "carrier pigeon", public: true });
  await expect.poll(() => server.logged.map(({ event }) => event), PATIENT).toContain("definition-error");
  await server.publish("broken", { type: "m", data: 1 });
  expect(await log.dataOf(1)).toEqual([1]);
  close();
});
