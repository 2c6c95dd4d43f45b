import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ channels: { chat: PUBLIC_ROOMS }, watch: true });
});
afterAll(() => server[Symbol.asyncDispose]());

describe.each([sseClient, webSocketClient])("the log of a subscriber over $name", ({ name, connect }) => {
  const transport = { SSE: "sse", WebSocket: "ws" }[name];

  /** What was logged of one path. */
  function logged(path: string): unknown[] {
    return server.logged.filter(({ fields, event }) => event !== "publish" && fields?.["path"] === path);
  }

  it("says who came by which transport, and that they went", async () => {
    const path = `chat/room=${transport}-leaves`;
    const { close } = await connect(`${server.url}/channels/chat?room=${transport}-leaves`);
    expect(logged(path)).toMatchObject([{ event: "connect", level: "info", fields: { transport } }]);
    close();
    await expect.poll(() => logged(path).length, PATIENT).toBe(2);
    expect(logged(path)[1]).toMatchObject({
      event: "disconnect",
      level: "info",
      fields: { path, transport, durationMs: expect.any(Number) as number, code: undefined },
    });
  });

  it("says why when the server ended it", async () => {
    const channel = `gone-${transport}`;
    server.define(channel, PUBLIC_ROOMS);
    await expect.poll(() => server.running.registry.get(channel), PATIENT).toBeDefined();
    const { log } = await connect(`${server.url}/channels/${channel}`);
    server.undefine(channel);
    await log.ended;
    await expect.poll(() => logged(channel).length, PATIENT).toBe(2);
    expect(logged(channel)[1]).toMatchObject({ event: "disconnect", fields: { code: "channel_unknown" } });
  });
});
