import { describe, expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import { shutGate } from "../support/gate.ts";
import { bearer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { httpPublisher, webSocketPublisher } from "../support/publisher-client.ts";
import { jsonBody, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { readStored } from "../support/stored.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const CHAT = { transport: "ws", auth: { headerName: "authorization" }, onPublish: true };
const MESSAGE = { type: "m", data: {} };

/** A server whose app lets messages pass when the test says so. */
async function startHeld() {
  const gate = shutGate();
  const app = await startTestApp(async ({ path }) => {
    if (path === "/channels/on-publish") await gate.opened;
    return { ok: true, subject: "u1" };
  });
  const server = await startTestServer({ channels: { chat: CHAT }, app: { url: app.url }, watch: true });
  const shownCount = (): number => app.calls.filter(({ path }) => path === "/channels/on-publish").length;
  return {
    server,
    open: () => gate.open(),
    shownCount,
    whenShown: () => expect.poll(shownCount, PATIENT).toBe(1),
    [Symbol.asyncDispose]: async () => {
      gate.open();
      await server[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** Saves another definition, and waits until it is live. */
async function define(server: TestServer, changes: object): Promise<void> {
  const before = server.running.registry.get("chat");
  server.define("chat", { ...CHAT, ...changes });
  await expect.poll(() => server.running.registry.get("chat"), PATIENT).not.toBe(before);
}

async function remove(server: TestServer): Promise<void> {
  server.undefine("chat");
  await expect.poll(() => server.running.registry.get("chat"), PATIENT).toBeUndefined();
}

function disconnect(server: TestServer): Promise<Response> {
  return server.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" }));
}

describe.each([webSocketPublisher, httpPublisher])(
  "a publish over $name, while the app is shown the message,",
  ({ publish }) => {
    it.each([
      ["the channel is removed", remove, "channel_unknown"],
      [
        "the channel becomes sse",
        (server: TestServer) => define(server, { transport: "sse" }),
        "channel_changed",
      ],
      [
        "its type is gone",
        (server: TestServer) => define(server, { messages: { other: { type: "object" } } }),
        "message_invalid",
      ],
      ["its subject is disconnected", disconnect, "disconnected"],
    ])("is refused and not stored when %s", async (_, change, code) => {
      await using held = await startHeld();
      const { server } = held;
      const publishing = publish(server.url, { channel: "chat", body: MESSAGE, token: "u1" });
      await held.whenShown();
      await change(server);
      held.open();
      expect(await publishing).toMatchObject({ code });
      expect(readStored(server, "chat")).toBeUndefined();
    });

    it("is stored with the lifecycle of now when that has changed", async () => {
      await using held = await startHeld();
      const { server } = held;
      const publishing = publish(server.url, { channel: "chat", body: MESSAGE, token: "u1" });
      await held.whenShown();
      await define(server, { maxMessages: 7 });
      held.open();
      expect(await publishing).toEqual({ id: expect.any(String) });
      expect(readStored(server, "chat")).toMatchObject({ maxMessages: 7 });
    });
  },
);

describe("a publisher that leaves while the app is shown its message", () => {
  it("over HTTP has no more of its batch shown, and none of it stored", async () => {
    await using held = await startHeld();
    const { server } = held;
    const left = new AbortController();
    const url = server.url + toMessagesPath("chat");
    const batch = Array.from({ length: 100 }, () => MESSAGE);
    const posting = fetch(url, { ...jsonBody(batch, bearer("u1")), signal: left.signal });
    const outcome = posting.catch((thrown: unknown) => thrown);
    await held.whenShown();
    left.abort();
    await outcome;
    await expectUnheard(held);
  });

  it("over WebSocket has it not stored, nor what it sent behind it shown", async () => {
    await using held = await startHeld();
    const { server } = held;
    const { webSocket, send } = await openWebSocket(`${server.url}/channels/chat`, { headers: bearer("u1") });
    for (let ref = 0; ref < 10; ref += 1) send({ ...MESSAGE, ref });
    await held.whenShown();
    webSocket.terminate();
    await expectUnheard(held);
  });

  /** A publisher that came later is served, and nothing of the other is. */
  async function expectUnheard(held: Awaited<ReturnType<typeof startHeld>>): Promise<void> {
    const { server } = held;
    await server.internal("/_chanctl/tail/chat"); // answered after the end that came before it is seen
    held.open();
    const later = await httpPublisher.publish(server.url, { channel: "chat", body: MESSAGE, token: "u1" });
    expect(later.id).toMatch(/_0{15}1$/);
    expect(held.shownCount()).toBe(2);
    expect(readStored(server, "chat")?.positions).toHaveLength(1);
    expect(server.logged.filter(({ event }) => event === "bug" || event === "refused")).toEqual([]);
  }
});

describe("a batch over HTTP, while the app is shown one of its messages,", () => {
  it("is refused as a whole when its subject is disconnected, and the rest is not shown", async () => {
    await using held = await startHeld();
    const { server } = held;
    const url = server.url + toMessagesPath("chat");
    const posting = fetch(url, jsonBody([MESSAGE, MESSAGE, MESSAGE], bearer("u1")));
    await held.whenShown();
    await disconnect(server);
    held.open();
    const response = await posting;
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "disconnected" });
    await held.whenShown();
    expect(readStored(server, "chat")).toBeUndefined();
  });
});
