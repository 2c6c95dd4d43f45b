import { Agent, request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: { chat: PUBLIC_ROOMS },
    limits: { maxConnectionsPerAddress: 3, maxParamsBytes: 100, publishBurst: 5, maxPublishesPerSec: 0.01 },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([sseClient, webSocketClient])("over $name", ({ name, connect }) => {
  /** How many of `count` connections are granted at once. They are closed again. */
  async function connects(url: string, count: number): Promise<number> {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, () => connect(url)));
    const granted = outcomes.filter((outcome) => outcome.status === "fulfilled");
    for (const { value } of granted) value.close();
    return granted.length;
  }

  it("refuses one connection too many, and takes it when another has left", async () => {
    const url = `${server.url}/channels/chat`;
    const open = await Promise.all([connect(url), connect(url), connect(url)]);
    await expect(connect(url)).rejects.toMatchObject({
      number: { SSE: 429, WebSocket: 4429 }[name],
      code: "rate_limited",
    });
    open[0]?.close();
    await expect.poll(() => connects(url, 1), PATIENT).toBe(1);
    for (const { close } of open) close();
    // The next test begins with none.
    await expect.poll(() => connects(url, 3), PATIENT).toBe(3);
  });

  it("refuses params that are too long", async () => {
    await expect
      .poll(() => connects(`${server.url}/channels/chat?room=${"r".repeat(90)}`, 1), PATIENT)
      .toBe(1);
    await expect(connect(`${server.url}/channels/chat?room=${"r".repeat(100)}`)).rejects.toMatchObject({
      code: "params_invalid",
    });
  });
});

it("binds clients, not the app", async () => {
  const url = `${server.internalUrl}/channels/chat`;
  const options = { headers: { authorization: `Bearer ${server.token}` } };
  const open = await Promise.all(Array.from({ length: 10 }, () => sseClient.connect(url, options)));
  for (let index = 0; index < 20; index += 1) await server.publish("chat", { type: "number", data: index });
  for (const { log, close } of open) {
    expect(await log.dataOf(20)).toHaveLength(20);
    close();
  }
});

it("refuses a client's POSTs over the rate with the time to wait", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const post = (): Promise<{ status: number | undefined; retryAfter: string | undefined }> =>
    new Promise((resolve, reject) => {
      const { method, headers, body } = jsonBody({ type: "m", data: 1 });
      httpRequest(server.url + toMessagesPath("chat"), {
        agent,
        method,
        headers,
      })
        .on("response", (response) => {
          response.resume();
          const retryAfter = response.headers["retry-after"];
          response.on("end", () => resolve({ status: response.statusCode, retryAfter }));
        })
        .on("error", reject)
        .end(body);
    });
  const answers = [];
  for (let index = 0; index < 6; index += 1) answers.push(await post());
  agent.destroy();
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(Number(answers.at(-1)?.retryAfter)).toBeGreaterThan(1);
});

it("refuses a head that is too big", async () => {
  const response = await fetch(`${server.url}/channels/chat`, { headers: { "x-big": "x".repeat(20_000) } });
  expect(response.status).toBe(431);
});
