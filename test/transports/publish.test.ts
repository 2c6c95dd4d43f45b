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

/** The data of all messages of a room. */
async function stored(room: string): Promise<unknown[]> {
  const end = await server.publish(room, { type: "message", data: { text: "end" } });
  const { log, close } = await openSse(`${server.url}/channels/${room}&last_message_id=start`);
  const messages = await log.waitFor(Number(end[0]?.split("_")[1]));
  close();
  return messages.slice(0, -1).map(({ json }) => (JSON.parse(json) as { data: unknown }).data);
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Record<string, unknown>;
}

describe("a POST", () => {
  it("stores one message and answers with its id", async () => {
    const room = newRoom();
    const response = await post(room, { type: "message", data: 1 });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ids: [expect.stringMatching(/^\d{16}_0{15}1$/)] });
    expect(await stored(room)).toEqual([1]);
  });

  it("stores a batch in its order and answers with all ids", async () => {
    const room = newRoom();
    const response = await post(
      room,
      [1, 2, 3].map((data) => ({ type: "message", data })),
    );
    const { ids } = (await response.json()) as { ids: string[] };
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(3);
    expect(await stored(room)).toEqual([1, 2, 3]);
  });

  it("stores nothing of a batch with one bad message, and says which", async () => {
    const room = newRoom("checked");
    const response = await post(room, [GOOD, { type: "message", data: { text: 1 } }, GOOD]);
    expect(response.status).toBe(400);
    const { code, detail } = await problemOf(response);
    expect(code).toBe("message_invalid");
    expect(detail).toBe("message 1: data.text must be string");
    expect(await stored(room)).toEqual([]);
  });

  it("refuses a type that the channel has not, and names the near one", async () => {
    const response = await post(newRoom("checked"), { type: "mesage", data: { text: "hi" } });
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      code: "message_invalid",
      fix: "did you mean `message`?",
    });
  });

  it.each([
    ["is no JSON", '{"type":"message",', "the body is not JSON: "],
    ["is empty", "", "the body is not JSON: "],
    ["is no object", '"hi"', "the body must be an object with `type` and `data`"],
    ["is an empty array", "[]", "the body must hold at least one message, got an empty array"],
    ["has no type", '{"data":1}', "`type` of the body must be a text, got `nothing`"],
    ["has no data", '{"type":"m"}', "the body has no `data`"],
    ["has a message without data", '[{"type":"m","data":1},{"type":"m"}]', "message 1 has no `data`"],
    ["has a message that is no object", '[{"type":"m","data":1},2]', "message 1 must be an object"],
  ])("refuses a body that %s, and says where", async (_, body, detail) => {
    const response = await post(newRoom(), body);
    expect(response.status).toBe(400);
    const problem = await problemOf(response);
    expect(problem["code"]).toBe("malformed");
    expect(problem["detail"]).toContain(detail);
  });

  it("refuses a body that is not UTF-8", async () => {
    const response = await fetch(server.url + toMessagesPath("chat"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from([...Buffer.from('{"type":"m","data":"'), 0xff, ...Buffer.from('"}')]),
    });
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "malformed", detail: "the body is not UTF-8" });
  });

  it.each(["text/plain", "application/jsonp", "application/x-www-form-urlencoded", undefined])(
    "refuses the content type %s",
    async (type) => {
      const response = await fetch(server.url + toMessagesPath("chat"), {
        method: "POST",
        body: Buffer.from('{"type":"m","data":1}'),
        ...(type === undefined ? {} : { headers: { "content-type": type } }),
      });
      expect(response.status).toBe(415);
      expect(await problemOf(response)).toMatchObject({ code: "content_type_unsupported" });
    },
  );

  it.each(["application/json; charset=utf-8", "Application/JSON"])(
    "takes the content type %s",
    async (type) => {
      const response = await post(newRoom(), { type: "m", data: 1 }, { "content-type": type });
      expect(response.status).toBe(200);
    },
  );

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

  it.each(["GET", "PUT", "DELETE"])("is the only method of the path: %s is refused", async (method) => {
    const response = await fetch(server.url + toMessagesPath("chat"), { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });
});

describe("an Idempotency-Key", () => {
  it("makes a repeat get the ids of the first time, and stores nothing again", async () => {
    const room = newRoom();
    const batch = [1, 2].map((data) => ({ type: "message", data }));
    const responses = [];
    for (let repeat = 0; repeat < 3; repeat += 1) {
      const response = await post(room, batch, { "idempotency-key": "a" });
      responses.push(await response.json());
    }
    expect(responses[1]).toEqual(responses[0]);
    expect(responses[2]).toEqual(responses[0]);
    expect(await stored(room)).toEqual([1, 2]);
  });

  it("stores one of many that come at once", async () => {
    const room = newRoom();
    const responses = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await post(room, { type: "message", data: 1 }, { "idempotency-key": "a" });
        return response.text();
      }),
    );
    expect(new Set(responses).size).toBe(1);
    expect(await stored(room)).toEqual([1]);
  });

  it("refuses another body under the same key", async () => {
    const room = newRoom();
    await post(room, { type: "message", data: 1 }, { "idempotency-key": "a" });
    const response = await post(room, { type: "message", data: 2 }, { "idempotency-key": "a" });
    expect(response.status).toBe(422);
    expect(await problemOf(response)).toMatchObject({ code: "key_reused" });
    expect(await stored(room)).toEqual([1]);
  });

  it("is not used up by a publish that was refused", async () => {
    const room = newRoom("checked");
    expect((await post(room, { type: "nope", data: 1 }, { "idempotency-key": "a" })).status).toBe(400);
    expect((await post(room, GOOD, { "idempotency-key": "a" })).status).toBe(200);
  });

  it("counts for one stream and one publisher", async () => {
    const [a, b] = [newRoom(), newRoom()];
    await post(a, { type: "message", data: "client" }, { "idempotency-key": "k" });
    await post(b, { type: "message", data: "other room" }, { "idempotency-key": "k" });
    await server.internal(
      toMessagesPath(a),
      jsonBody({ type: "message", data: "app" }, { "idempotency-key": "k" }),
    );
    expect(await stored(a)).toEqual(["client", "app"]);
    expect(await stored(b)).toEqual(["other room"]);
  });

  it("of more than 256 characters is refused", async () => {
    const response = await post(newRoom(), GOOD, { "idempotency-key": "k".repeat(257) });
    expect(response.status).toBe(400);
  });
});
