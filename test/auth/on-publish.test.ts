import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import type { Answer, TestApp } from "../support/app-answers.ts";
import { bearer } from "../support/guarded-server.ts";
import { jsonBody, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

const TEXT = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const HELLO = { type: "message", data: { text: "hello" } };

let app: TestApp;
let server: TestServer;
let onPublish: Answer;
let rooms = 0;

beforeAll(async () => {
  app = await startTestApp((call, response) =>
    call.path === "/channels/authorize" ? { ok: true, subject: "u1" } : onPublish(call, response),
  );
  server = await startTestServer({
    channels: {
      shown: {
        transport: "ws",
        auth: { headerName: "authorization" },
        onPublish: true,
        messages: { message: TEXT },
        paramsSchema: { type: "object", properties: { room: { type: "integer" } } },
      },
    },
    app: { url: app.url },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});
beforeEach(() => {
  rooms += 1;
  onPublish = () => ({ ok: true });
});

function join(): Promise<WebSocketSubscriber> {
  return openWebSocket(`${server.url}/channels/shown?room=${rooms}`, { headers: bearer("t") });
}

function post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const init = jsonBody(body, { ...bearer("t"), ...headers });
  return fetch(server.url + toMessagesPath(`shown?room=${rooms}`), init);
}

/** The on-publish calls about this test's room. */
function shown(): Record<string, unknown>[] {
  return app.calls
    .filter(
      ({ path, body }) =>
        path === "/channels/on-publish" && (body["params"] as { room: number }).room === rooms,
    )
    .map(({ body }) => body);
}

describe("a client's message", () => {
  it("is shown to the app before it is stored, as it came", async () => {
    const { send, log, close } = await join();
    send({ ...HELLO, ref: 1 });
    expect(await log.dataOf(1)).toEqual([HELLO.data]);
    expect(app.calls.at(-1)).toEqual({
      path: "/channels/on-publish",
      authorization: `Bearer ${server.token}`,
      body: {
        version: 1,
        channel: "shown",
        params: { room: rooms },
        subject: "u1",
        transport: "ws",
        message: HELLO,
      },
    });
    close();
  });

  it("is stored as the app has changed it", async () => {
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: "changed" } } });
    const { log, close } = await join();
    expect((await post(HELLO)).status).toBe(200);
    expect(await log.dataOf(1)).toEqual([{ text: "changed" }]);
    expect(shown()[0]).toMatchObject({ transport: "http" });
    close();
  });

  it.each([
    [{ ok: false, reason: "no shouting" }, 403, "forbidden"],
    [{ ok: false, reason: "no shouting", status: 404 }, 404, "channel_unknown"],
    [{ ok: false, reason: "no shouting", status: 401 }, 401, "unauthenticated"],
  ])("is not stored when the app answers %j; the connection goes on", async (answer, status, code) => {
    const { send, control, log, close } = await join();
    onPublish = () => answer;
    const response = await post(HELLO);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, detail: "no shouting" });
    send({ ...HELLO, ref: 1 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "error", code, message: "no shouting" });
    onPublish = () => ({ ok: true });
    send({ type: "message", data: { text: "after" } });
    expect(await log.dataOf(1)).toEqual([{ text: "after" }]);
    close();
  });

  it.each([
    ["garbage", () => "hello"],
    ["a message without data", () => ({ ok: true, message: { type: "message" } })],
    ["a message without a type", () => ({ ok: true, message: { data: { text: "x" } } })],
    ["a message that is a text", () => ({ ok: true, message: "x" })],
    ['ok: "true"', () => ({ ok: "true" })],
  ])("is not stored when the app answers with %s", async (_, answer) => {
    const { log, close } = await join();
    onPublish = answer;
    expect((await post(HELLO)).status).toBe(503);
    onPublish = () => ({ ok: true });
    await post({ type: "message", data: { text: "after" } });
    expect(await log.dataOf(1)).toEqual([{ text: "after" }]);
    close();
  });

  it("is not stored when what the app made of it does not fit the channel", async () => {
    const { log, close } = await join();
    onPublish = () => ({ ok: true, message: { type: "message", data: { text: 1 } } });
    const response = await post(HELLO);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "message_invalid" });
    onPublish = () => ({ ok: true });
    await post({ type: "message", data: { text: "after" } });
    expect(await log.dataOf(1)).toEqual([{ text: "after" }]);
    close();
  });

  it("that does not fit the channel is not shown to the app", async () => {
    expect((await post({ type: "message", data: { text: 1 } })).status).toBe(400);
    expect(shown()).toEqual([]);
  });

  it("is shown to the app once the one before it has been answered, and stored in order", async () => {
    let underWay = 0;
    let most = 0;
    onPublish = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return { ok: true };
    };
    const { send, log, close } = await join();
    const texts = Array.from({ length: 20 }, (_, index) => ({ text: String(index) }));
    for (const data of texts) send({ type: "message", data });
    expect(await log.dataOf(20)).toEqual(texts);
    expect(most).toBe(1);
    close();
  });

  it("of a batch that is rejected takes the whole batch with it", async () => {
    const { log, close } = await join();
    onPublish = ({ body }) => ({ ok: (body["message"] as typeof HELLO).data.text !== "bad" });
    expect((await post([HELLO, { type: "message", data: { text: "bad" } }, HELLO])).status).toBe(403);
    await post({ type: "message", data: { text: "after" } });
    expect(await log.dataOf(1)).toEqual([{ text: "after" }]);
    close();
  });

  it("that comes again with its key gets the same ids, though the app changes it anew each time", async () => {
    let changes = 0;
    onPublish = () => {
      changes += 1;
      return { ok: true, message: { type: "message", data: { text: `change ${changes}` } } };
    };
    const answers = [];
    for (let repeat = 0; repeat < 2; repeat += 1) {
      answers.push(await (await post(HELLO, { "idempotency-key": "k" })).json());
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ ids: [expect.any(String)] });
  });
});

it("does not show the app what the app itself publishes", async () => {
  const { log, close } = await join();
  await server.publish(`shown?room=${rooms}`, HELLO);
  expect(await log.dataOf(1)).toEqual([HELLO.data]);
  expect(shown()).toEqual([]);
  close();
});
