import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { jsonBody, toMessagesPath } from "../support/server.ts";
import { openSse, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

let guarded: GuardedServer;

beforeAll(async () => {
  guarded = await startGuardedServer();
});
afterAll(() => guarded[Symbol.asyncDispose]());

const MESSAGE = { type: "m", data: 1 };

describe("the internal listener", () => {
  it.each([
    ["no token", {}],
    ["a wrong token", bearer("wrong")],
    ["another scheme", { authorization: "Basic the-token-of-the-tests" }],
    ["the token without a scheme", { authorization: "the-token-of-the-tests" }],
    ["the beginning of the token", bearer("the-token-of-the-test")],
  ])("answers 401 to %s, whatever the path", async (_, headers) => {
    for (const path of ["/", "/channels/guarded", "/_chanctl/channels", "/_chanctl/tail/guarded"]) {
      const response = await fetch(guarded.server.internalUrl + path, { headers });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
    const post = await fetch(
      guarded.server.internalUrl + toMessagesPath("guarded"),
      jsonBody(MESSAGE, headers),
    );
    expect(post.status).toBe(401);
    await expect(
      openWebSocket(`${guarded.server.internalUrl}/channels/guarded`, { headers }),
    ).rejects.toThrow("401");
  });

  it.each([sseClient, webSocketClient])(
    "lets the app read any channel over $name, without asking itself",
    async ({ connect }) => {
      const before = guarded.app.calls.length;
      for (const channel of ["guarded", "guarded-read"]) {
        const { log, close } = await connect(`${guarded.server.internalUrl}/channels/${channel}`, {
          headers: bearer(guarded.server.token),
        });
        await guarded.server.publish(channel, MESSAGE);
        expect(await log.dataOf(1)).toEqual([1]);
        close();
      }
      expect(guarded.app.calls).toHaveLength(before);
    },
  );

  it("stores what the app publishes without a sender", async () => {
    const { log, close } = await openSse(`${guarded.server.internalUrl}/channels/guarded?room=app`, {
      headers: bearer(guarded.server.token),
    });
    await guarded.server.publish("guarded?room=app", { ...MESSAGE, from: "forged" });
    const [message] = await log.waitFor(1);
    expect(JSON.parse(message?.json ?? "")).not.toHaveProperty("from");
    close();
  });

  it("checks what the app publishes like anything else", async () => {
    const bad = await guarded.server.internal(toMessagesPath("guarded?romo=1"), jsonBody(MESSAGE));
    expect(bad.status).toBe(400);
    const unknown = await guarded.server.internal(toMessagesPath("nope"), jsonBody(MESSAGE));
    expect(unknown.status).toBe(404);
  });

  it("lists the channels", async () => {
    const response = await guarded.server.internal("/_chanctl/channels");
    const { channels } = (await response.json()) as { channels: { name: string; transport: string }[] };
    expect(channels.map(({ name, transport }) => `${name} ${transport}`)).toEqual([
      "guarded ws",
      "guarded-read sse",
      "keyed ws",
    ]);
  });

  it("tells the tail of a stream", async () => {
    const [id] = await guarded.server.publish("guarded?room=tail", MESSAGE);
    const response = await guarded.server.internal("/_chanctl/tail/guarded?room=tail");
    expect(await response.json()).toEqual({ id });
  });

  it("answers 404 to what it has not, to an upgrade too", async () => {
    const response = await guarded.server.internal("/_chanctl/nope");
    expect(response.status).toBe(404);
    for (const path of ["//", "/*", "/%ff"]) expect((await guarded.server.internal(path)).status).toBe(404);
    const headers = bearer(guarded.server.token);
    for (const path of ["/", "/_chanctl/channels"]) {
      await expect(openWebSocket(guarded.server.internalUrl + path, { headers })).rejects.toThrow("404");
      await expect(openWebSocket(guarded.server.internalUrl + path)).rejects.toThrow("401");
    }
  });
});

describe("disconnecting a subject", () => {
  function disconnect(body: string): Promise<Response> {
    return guarded.server.internal("/_chanctl/disconnect", { method: "POST", body });
  }

  it("ends all its connections with 4408, and nobody else's; the app is asked when it returns", async () => {
    const [victim, other] = ["victim", "other"].map((subject) =>
      guarded.tokenFor(() => ({ ok: true, subject })),
    );
    const url = `${guarded.server.url}/channels/guarded?room=kick`;
    const [sse, webSocket, bystander] = await Promise.all([
      openSse(url, { headers: bearer(victim ?? "") }),
      openWebSocket(url, { headers: bearer(victim ?? "") }),
      openWebSocket(url, { headers: bearer(other ?? "") }),
    ]);
    const response = await disconnect('{"subject":"victim"}');
    expect(await response.json()).toEqual({ closed: 2 });
    expect(await sse.log.ended).toMatchObject({ title: "disconnected by the app" });
    const { closeCode, afterMs } = await webSocket.log.ended;
    expect(closeCode).toBe(4408);
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(webSocket.controls.at(-1)).toMatchObject({ control: "reconnect", reason: "disconnected" });

    await guarded.server.publish("guarded?room=kick", MESSAGE);
    expect(await bystander.log.dataOf(1)).toEqual([1]);
    const calls = guarded.callsAbout(victim ?? "").length;
    const back = await openWebSocket(`${url}&last_message_id=${webSocket.startId}`, {
      headers: bearer(victim ?? ""),
    });
    expect(await back.log.dataOf(1)).toEqual([1]);
    expect(guarded.callsAbout(victim ?? "")).toHaveLength(calls + 1);
    back.close();
    bystander.close();
  });

  it("counts none where there is none", async () => {
    expect(await (await disconnect('{"subject":"nobody"}')).json()).toEqual({ closed: 0 });
  });

  it.each(["", "[]", "{}", '{"subject":1}', '{"subject":""}'])("refuses the body `%s`", async (body) => {
    expect((await disconnect(body)).status).toBe(400);
  });
});

describe("the public listener", () => {
  it("does not take the internal token for more than any other", async () => {
    const headers = bearer(guarded.server.token);
    const read = await fetch(`${guarded.server.url}/channels/guarded`, { headers });
    expect(read.status).toBe(401);
    const toRead = await fetch(
      guarded.server.url + toMessagesPath("guarded-read"),
      jsonBody(MESSAGE, headers),
    );
    expect(toRead.status).toBe(403);
    const toGuarded = await fetch(guarded.server.url + toMessagesPath("guarded"), jsonBody(MESSAGE, headers));
    expect(toGuarded.status).toBe(401);
  });

  it("has none of the operator's paths, and does not ask the app for them", async () => {
    const before = guarded.app.calls.length;
    const response = await fetch(
      `${guarded.server.url}/_chanctl/disconnect`,
      jsonBody({ subject: "u1" }, bearer(guarded.server.token)),
    );
    expect(response.status).toBe(404);
    expect(guarded.app.calls).toHaveLength(before);
  });
});
