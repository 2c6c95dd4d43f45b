import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    channels: {
      chat: PUBLIC_ROOMS,
      read: { public: true },
      quiet: { public: true, keepaliveIntervalMs: 1_000 },
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

describe("an event stream", () => {
  it("sends an empty comment when nothing was sent for the keepalive interval", async () => {
    const { comments, text, log, close } = await openSse(`${server.url}/channels/quiet`);
    await expect.poll(() => comments.length, PATIENT).toBeGreaterThan(1);
    expect(text().replace(/^retry: \d+\nid: \w+\n\n/, "")).toMatch(/^(:\n\n)+$/);
    await server.publish("quiet", { type: "message", data: 1 });
    expect(await log.dataOf(1)).toEqual([1]);
    close();
  });
});

describe("the route", () => {
  it("serves a channel of either transport", async () => {
    for (const channel of ["read", "chat"]) {
      const { startId, close } = await openSse(`${server.url}/channels/${channel}`);
      expect(startId).toMatch(/^\d{16}_\d{16}$/);
      close();
    }
  });

  it("stores nothing for a room that is only read", async () => {
    const { close } = await openSse(`${server.url}/channels/chat?room=only-read`);
    const response = await server.internal("/_chanctl/tail/chat?room=only-read");
    expect(await response.json()).toEqual({ id: "0000000000000000_0000000000000000" });
    close();
  });
});
