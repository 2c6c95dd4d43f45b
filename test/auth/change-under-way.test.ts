import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, toMessagesPath } from "../support/server.ts";
import type { Refusal } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "m", data: 1 };
const CHANNEL = { transport: "ws", auth: { headerName: "authorization" } };

interface Held {
  readonly guarded: GuardedServer;
  readonly token: string;
  /** Another token that the app takes its time with. */
  readonly anotherToken: () => string;
  /** Resolves when the app has been asked so many times. */
  asked(times: number): Promise<void>;
  /** Lets the app answer, now and from now on. */
  release(): void;
}

/** A server whose app takes its time with its answer. */
async function hold(): Promise<Held & AsyncDisposable> {
  const guarded = await startGuardedServer({ channels: { room: CHANNEL }, watch: true });
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const anotherToken = (): string =>
    guarded.tokenFor(async () => {
      await released;
      return { ok: true, subject: "u1" };
    });
  const token = anotherToken();
  return {
    guarded,
    token,
    anotherToken,
    asked: (times) => expect.poll(() => guarded.callsAbout(token).length, PATIENT).toBe(times),
    release,
    [Symbol.asyncDispose]: () => guarded[Symbol.asyncDispose](),
  };
}

async function remove({ server }: GuardedServer): Promise<void> {
  server.undefine("room");
  await expect.poll(() => server.running.registry.get("room"), PATIENT).toBeUndefined();
}

async function change({ server }: GuardedServer): Promise<void> {
  server.define("room", { ...CHANNEL, auth: { headerName: "x-key" } });
  await expect
    .poll(() => server.running.registry.get("room")?.definition.auth?.headerName, PATIENT)
    .toBe("x-key");
}

function disconnect({ server }: GuardedServer): Promise<Response> {
  return server.internal("/_chanctl/disconnect", jsonBody({ subject: "u1" }));
}

describe.each([sseClient, webSocketClient])("a subscriber over $name, while the app is asked,", (client) => {
  const { name, connect } = client;

  it("is refused when the channel is removed", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const connecting = connect(`${guarded.server.url}/channels/room`, { headers: bearer(token) });
    const outcome = connecting.catch((thrown: unknown) => thrown);
    await held.asked(1);
    await remove(guarded);
    held.release();
    expect(await outcome).toMatchObject({
      number: { SSE: 404, WebSocket: 4404 }[name],
      code: "channel_unknown",
    });
  });

  it("is sent back to be asked again when the channel's auth changes", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const connecting = connect(`${guarded.server.url}/channels/room`, { headers: bearer(token) });
    const outcome = connecting.catch((thrown: unknown) => thrown);
    await held.asked(1);
    await change(guarded);
    held.release();
    const expected =
      name === "SSE"
        ? { number: 503, code: "channel_changed" }
        : { number: 1012, fields: { reason: "channel_changed" } };
    expect(await outcome).toMatchObject(expected);
  });

  it("is sent away when the app disconnects its subject, also if it joins the same call later", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const url = `${guarded.server.url}/channels/room`;
    const outcome = async (): Promise<unknown> => {
      const subscriber = await connect(url, { headers: bearer(token) }).catch((thrown: unknown) => thrown);
      return "log" in (subscriber as object)
        ? (subscriber as { log: { ended: unknown } }).log.ended
        : subscriber;
    };
    const first = outcome();
    await held.asked(1);
    await disconnect(guarded);
    const second = outcome();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await held.asked(1);
    held.release();
    const expected =
      name === "SSE"
        ? { title: "disconnected by the app" }
        : { number: 4408, fields: { reason: "disconnected" } };
    expect(await first).toMatchObject(expected);
    expect(await second).toMatchObject(expected);
    const { close } = await connect(url, { headers: bearer(token) });
    close();
  });
});

describe("a publish over HTTP, while the app is asked,", () => {
  it("is refused when the channel is removed", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const url = guarded.server.url + toMessagesPath("room");
    const posting = fetch(url, jsonBody(MESSAGE, bearer(token)));
    await held.asked(1);
    await remove(guarded);
    held.release();
    expect((await posting).status).toBe(404);
  });

  it("is asked about again when the app disconnects its subject", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const url = guarded.server.url + toMessagesPath("room");
    const posting = fetch(url, jsonBody(MESSAGE, bearer(token)));
    await held.asked(1);
    await disconnect(guarded);
    held.release();
    expect((await posting).status).toBe(200);
    expect(guarded.callsAbout(token)).toHaveLength(2);
  });

  it("is refused for want of the new credential when the channel's auth changes", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    const url = guarded.server.url + toMessagesPath("room");
    const posting = fetch(url, jsonBody(MESSAGE, bearer(token)));
    await held.asked(1);
    await change(guarded);
    held.release();
    expect((await posting).status).toBe(401);
  });
});

describe("a publish over HTTP, while its body is still on its way,", () => {
  it("is refused when the channel is removed", async () => {
    await using held = await hold();
    const { guarded, token } = held;
    held.release();
    const { headers, method, body } = jsonBody(MESSAGE, bearer(token));
    const posting = httpRequest(guarded.server.url + toMessagesPath("room"), { method, headers });
    const answered = once(posting, "response") as Promise<[IncomingMessage]>;
    posting.write(body.slice(0, 5));
    await held.asked(1);
    await remove(guarded);
    posting.end(body.slice(5));
    const [response] = await answered;
    expect(response.resume().statusCode).toBe(404);
  });
});

describe("a WebSocket that is refused at a shutdown", () => {
  it("is told to come back at a time of its own", async () => {
    await using held = await hold();
    const { guarded, anotherToken } = held;
    // A token each: about each of them the app is asked, which tells that its handshake is done.
    const tokens = Array.from({ length: 10 }, anotherToken);
    const refusals = tokens.map((token) =>
      openWebSocket(`${guarded.server.url}/channels/room`, { headers: bearer(token) }).catch(
        (thrown: unknown) => thrown,
      ),
    );
    const asked = (): number[] => tokens.map((token) => guarded.callsAbout(token).length);
    await expect.poll(asked, PATIENT).toEqual(tokens.map(() => 1));
    const closing = guarded.server.running.close();
    held.release();
    const told = await Promise.all(refusals);
    await closing;
    for (const refusal of told)
      expect(refusal).toMatchObject({ number: 1012, fields: { reason: "service_restart" } });
    expect(new Set(told.map((refusal) => (refusal as Refusal).fields["afterMs"])).size).toBeGreaterThan(5);
  });
});
