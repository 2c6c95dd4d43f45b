import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

let server: TestServer;
let rooms = 0;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
    },
    limits: { publishBurst: 50, maxPublishesPerSec: 1 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** Joins a room that no other test uses. */
function join(): Promise<WebSocketSubscriber> {
  rooms += 1;
  return openWebSocket(`${server.url}/channels/chat?room=${rooms}`);
}

describe("the handshake", () => {
  it("is refused on the path that messages are POSTed to", async () => {
    await expect(openWebSocket(`${server.url}/channels/chat/messages`)).rejects.toMatchObject({
      number: 4404,
    });
  });
});

describe("a publish", () => {
  it("keeps its order among others of the same connection", async () => {
    const { send, log, controls, close } = await join();
    for (let ref = 0; ref < 50; ref += 1) send({ type: "number", data: ref, ref });
    const data = await log.dataOf(50);
    expect(data).toEqual(Array.from({ length: 50 }, (_, index) => index));
    await expect.poll(() => controls.length, PATIENT).toBe(51);
    expect(controls.slice(1).map(({ ref }) => ref)).toEqual(data);
    expect(controls.slice(1).map(({ id }) => id)).toEqual(log.received.map(({ id }) => id));
    close();
  });

  it("is stored once however often it comes with the same key, also over HTTP", async () => {
    rooms += 1;
    const path = `/channels/chat?room=${rooms}`;
    const { send, control, log, close } = await openWebSocket(server.url + path);
    send({ type: "message", data: "once", key: "k1", ref: 1 });
    send({ type: "message", data: "once", key: "k1", ref: 2 });
    const [first, second] = [await control({ ref: 1 }), await control({ ref: 2 })];
    expect(second["id"]).toBe(first["id"]);
    const posted = await fetch(server.url + path.replace("?", "/messages?"), {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "k1" },
      body: '{"type":"message","data":"once"}',
    });
    expect(await posted.json()).toEqual({ ids: [first["id"]] });
    send({ type: "message", data: "after" });
    expect(await log.dataOf(2)).toEqual(["once", "after"]);
    close();
  });
});
