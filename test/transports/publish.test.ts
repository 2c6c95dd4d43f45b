import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonBody, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const GOOD = { type: "message", data: { text: "hi" } };

let server: TestServer;
let rooms = 0;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      checked: { ...PUBLIC_ROOMS, messages: { message: TEXT } },
      read: { public: true },
    },
    limits: { maxMessageBytes: 1_000, maxPublishBytes: 10_000, maxBatchMessages: 20 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** A room that no other test uses. */
function newRoom(channel = "chat"): string {
  rooms += 1;
  return `${channel}?room=${rooms}`;
}

/** Publishes as a client. */
function post(
  channel: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(server.url + toMessagesPath(channel), jsonBody(body, headers));
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Record<string, unknown>;
}

describe("a POST", () => {
  it("is in the log with how many messages it stored, and ten of their types at most", async () => {
    const room = newRoom();
    const batch = Array.from({ length: 20 }, (_, index) => ({ type: `t${index >> 1}`, data: 1 }));
    await server.publish(room, [...batch.slice(1), { type: "t10", data: 1 }]);
    const entry = server.logged.find(({ fields }) => fields?.["path"] === room.replace("?", "/"));
    const types = Array.from({ length: 10 }, (_, index) => `t${index}`);
    expect(entry).toMatchObject({ event: "publish", fields: { types, messages: 20 } });
  });

  it.each([
    ["a message of", { type: "m", data: "x".repeat(999) }, "maxMessageBytes"],
    ["a batch of", Array.from({ length: 21 }, () => GOOD), "maxBatchMessages"],
    ["a body of", { type: "m", data: 1, padding: "x".repeat(10_000) }, "10000 bytes"],
  ])("refuses %s more than the limit with 413", async (_, body, text) => {
    const response = await post(newRoom(), body);
    expect(response.status).toBe(413);
    const { code, detail } = await problemOf(response);
    expect(code).toBe("too_big");
    expect(detail).toContain(text);
  });

  it("takes a message and a batch of just the limit", async () => {
    expect((await post(newRoom(), { type: "m", data: "x".repeat(998) })).status).toBe(200);
    expect(
      (
        await post(
          newRoom(),
          Array.from({ length: 20 }, () => GOOD),
        )
      ).status,
    ).toBe(200);
  });

  it("answers 413 to a body whose length was not announced", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(server.url + toMessagesPath("chat"), {
        method: "POST",
        headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
      });
      request.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
      request.write("x".repeat(6_000));
      request.write("x".repeat(6_000));
      request.end();
    });
    expect(status).toBe(413);
  });

  it.each([
    ["nope", 404, "channel_unknown"],
    ["chat?romo=1", 400, "params_invalid"],
    ["read", 403, "transport_forbidden"],
  ])("of a client to %s is refused with %i", async (channel, status, code) => {
    const response = await post(channel, GOOD);
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code });
  });

  it("of the app reaches a channel that clients may only read", async () => {
    const { log, close } = await openSse(`${server.url}/channels/read`);
    await server.publish("read", GOOD);
    expect(await log.dataOf(1)).toEqual([GOOD.data]);
    close();
  });
});

describe("an Idempotency-Key", () => {
  it("of more than 256 characters is refused", async () => {
    const response = await post(newRoom(), GOOD, { "idempotency-key": "k".repeat(257) });
    expect(response.status).toBe(400);
  });
});
