import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { pickFreePort } from "#src/platform/free-port.ts";
import type { Message } from "#src/protocol/message.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import { bearer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody } from "../support/server.ts";
import type { Refusal, Subscriber } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";
import { publish, runProgram, signIn } from "./example.ts";
import type { RunningExample } from "./example.ts";

const CLIENTS = [sseClient, webSocketClient];
const LOBBY = "/channels/chat?room=lobby";

/** What the app of an example must do. */
export function describeApp(example: RunningExample): void {
  describe.each(CLIENTS)("over $name", ({ name, connect }) => {
    it("refuses whom the app does not know", async () => {
      const unauthenticated = { code: "unauthenticated", number: name === "SSE" ? 401 : 4401 };
      for (const headers of [bearer("forged"), { cookie: "session=YWRh.forged" }]) {
        await expect(connect(example.served.url + LOBBY, { headers })).rejects.toMatchObject({
          ...unauthenticated,
          fields: { [name === "SSE" ? "detail" : "message"]: "sign in first" },
        } satisfies Partial<Refusal>);
      }
    });

    it("lets in who is signed in, by cookie and by bearer token, and brings them what the app publishes", async () => {
      const room = `/channels/chat?room=welcome-${name}`;
      const session = await signIn(example.served.url, { name: "ada" });
      const ways = [{ cookie: `a=b; session=${session}` }, bearer(session)];
      const subscribers = await Promise.all(
        ways.map((headers) => connect(example.served.url + room, { headers })),
      );
      await signIn(example.served.url, { name: "grace", room: `welcome-${name}` });
      for (const { log, close } of subscribers) {
        const message = messageOf(await log.waitFor(1));
        expect(message).toMatchObject({ channel: "chat", type: "notice", data: { text: "grace came in" } });
        expect(message).not.toHaveProperty("from");
        close();
      }
    });

    it("stays while the app is killed and started again", async () => {
      const session = await signIn(example.served.url, { name: "ada" });
      const room = `/channels/chat?room=stays-${name}`;
      const stays = await connect(example.served.url + room, { headers: bearer(session) });
      const starts = example.served.entries("app-ready").length;
      example.served.killApp();
      await example.served.waitFor("app-exit", starts);
      // Comes while there is no app: it waits for the next one.
      const comes = await connect(example.served.url + room, { headers: bearer(session) });
      await example.served.waitFor("app-ready", starts + 1);
      await publish(example.served.url + room, { session, text: "after the restart" });
      for (const { log, close } of [stays, comes]) {
        expect(await log.dataOf(1)).toEqual([{ text: "after the restart" }]);
        close();
      }
    });
  });

  it("stores what it makes of a client's message, by POST and by WebSocket, in the client's name", async () => {
    const session = await signIn(example.served.url, { name: "ada" });
    const reader = await openWebSocket(`${example.served.url}/channels/chat?room=says`, {
      headers: bearer(session),
    });
    expect(
      await publish(`${example.served.url}/channels/chat?room=says`, { session, text: "  by POST " }),
    ).toMatchObject({
      status: 200,
    });
    reader.send({ type: "message", data: { text: "  by WebSocket " }, ref: "1" });
    await reader.control({ control: "ack", ref: "1" });
    const received = await reader.log.waitFor(2);
    expect(received.map(({ json }) => JSON.parse(json) as Message)).toMatchObject([
      { type: "message", data: { text: "by POST" }, from: "ada" },
      { type: "message", data: { text: "by WebSocket" }, from: "ada" },
    ]);
    reader.close();
  });

  it("refuses a client's message that it does not want, by POST and by WebSocket", async () => {
    const session = await signIn(example.served.url, { name: "ada" });
    const room = `${example.served.url}/channels/chat?room=wants`;
    const forbidden = { status: 403, body: { code: "forbidden", detail: "say something" } };
    expect(await publish(room, { session, text: "   " })).toMatchObject(forbidden);
    const { send, control, log, close } = await openWebSocket(room, { headers: bearer(session) });
    send({ type: "notice", data: { text: "ada came in" }, ref: 1 });
    expect(await control({ control: "error" })).toMatchObject({
      ref: 1,
      code: "forbidden",
      message: "notices come from the app alone",
    });
    expect(await publish(room, { session: "forged", text: "hi" })).toMatchObject({ status: 401 });
    expect(log.received).toEqual([]);
    close();
  });

  it("answers calls with the token only, and none of them from outside", async () => {
    const call = {
      version: 1,
      channel: "chat",
      params: { room: "lobby" },
      operation: "subscribe",
      transport: "sse",
    };
    for (const path of ["/channels/authorize", "/channels/on-publish"]) {
      for (const headers of [{}, bearer(""), bearer("guessed")]) {
        const answer = await fetch(
          `http://127.0.0.1:${example.served.appPort}${path}`,
          jsonBody(call, headers),
        );
        expect(answer.status).toBe(404);
      }
      const outside = await fetch(example.served.url + path, jsonBody(call));
      expect(await outside.json()).toMatchObject({ status: 404, code: "channel_unknown" });
    }
  });

  it("answers 500 to a call that it cannot read, and goes on", async () => {
    const token = (await readFile(join(example.project.folder, ".chanctl", "token"), "utf8")).trim();
    const url = `http://127.0.0.1:${example.served.appPort}/channels/on-publish`;
    for (const body of ["{", '{"message":1}', '{"message":{"type":"message","data":7}}']) {
      expect((await fetch(url, jsonBody(body, bearer(token)))).status).toBe(500);
    }
    await signIn(example.served.url, { name: "ada" });
  });

  it("publishes again with the same key and the same bytes until the broker takes it", async () => {
    const seen: Publish[] = [];
    await using broker = await startFixtureApp(async (request, response) => {
      seen.push(await readPublish(request));
      if (seen.length === 1) request.socket.destroy();
      else if (seen.length === 2) response.writeHead(503).end(JSON.stringify({ code: "c", detail: "d" }));
      else response.end('{"ids":["0000000000000001_0000000000000001"]}');
    });
    const port = await pickFreePort();
    const env = { PORT: String(port), HOST: "127.0.0.1", CHANCTL_URL: broker.url, CHANCTL_TOKEN: "secret" };
    await using app = runProgram(example.project.programs.app, { cwd: example.project.folder, env });
    await expect
      .poll(() => fetch(`http://127.0.0.1:${port}/me`).catch(() => undefined), PATIENT)
      .toBeDefined();
    await signIn(`http://127.0.0.1:${port}`, { name: "ada", room: "a room" });
    expect(seen).toHaveLength(3);
    expect(seen[0]).toMatchObject({
      path: "/channels/chat/messages?room=a+room",
      authorization: "Bearer secret",
      body: { type: "notice", data: { text: "ada came in" } },
    });
    expect(seen[0]?.key).toMatch(/^.{16,}$/);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(app.child.exitCode).toBeNull();
  });
}

function messageOf([received]: Awaited<ReturnType<Subscriber["log"]["waitFor"]>>): unknown {
  return JSON.parse(received?.json ?? "");
}

interface Publish {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly key: unknown;
  readonly body: unknown;
}

async function readPublish(request: IncomingMessage): Promise<Publish> {
  const { authorization, "idempotency-key": key } = request.headers;
  return { path: request.url, authorization, key, body: await json(request) };
}
