import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { pickFreePort } from "#src/platform/free-port.ts";
import { SUB_PROTOCOL } from "#src/protocol/websocket-frame.ts";
import { startTestApp } from "../support/app-answers.ts";
import type { Answer } from "../support/app-answers.ts";
import { CALLERS } from "../support/caller.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import { shutGate } from "../support/gate.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import type { Refusal } from "../support/subscriber-client.ts";
import { openSse, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "message", data: 1 };
const PARTNER = "https://partner.example";
const EVIL = "https://evil.example";
const HOUR = 3_600_000;
/** Longer than a busy machine takes for an answer. */
const A_WHILE_MS = 3_000;
const GUARDED = { transport: "ws", auth: { headerName: "authorization" } };
const YES = '{"ok":true,"subject":"admin"}';
const SUBSCRIBERS = [sseClient, webSocketClient];

let guarded: GuardedServer;
let url: string;

beforeAll(async () => {
  guarded = await startGuardedServer({ limits: { authFrameWaitMs: 500 }, allowedOrigins: [PARTNER] });
  url = `${guarded.server.url}/channels/guarded`;
});
afterAll(() => guarded[Symbol.asyncDispose]());

/** A token about which the app answers this and nothing else. */
function tokenFor(answer: object): string {
  return guarded.tokenFor(() => answer);
}

/** A token that the app allows for a while from its first answer on, and refuses after that. */
function tokenForAWhile(given: object = {}): { token: string; expiresAt: () => number } {
  let expiresAt = 0;
  const token = guarded.tokenFor(() => {
    if (expiresAt === 0) expiresAt = Date.now() + A_WHILE_MS;
    return Date.now() < expiresAt ? { ok: true, ...given, expiresAt } : { ok: false, status: 401 };
  });
  return { token, expiresAt: () => expiresAt };
}

/** A token about which the app sends this. */
function tokenSending(send: (response: ServerResponse) => void): string {
  return guarded.tokenFor((_, response) => send(response));
}

/** An answer that says yes to whoever does not look at its status. */
function status(code: number, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => void response.writeHead(code, headers).end(YES);
}

function text(body: string) {
  return (response: ServerResponse): void => void response.end(body);
}

/** What came before these round trips has been read by the end of them. */
async function roundTrips(server: TestServer, count = 5): Promise<void> {
  for (let trip = 0; trip < count; trip += 1) await fetch(`${server.url}/channels/nope`);
}

/** A server whose app is where the test puts it, and when. */
async function startBefore(port: number): Promise<TestServer> {
  return startTestServer({
    channels: { guarded: GUARDED },
    app: { url: `http://127.0.0.1:${port}` },
    authorizeRetryMs: 20_000,
  });
}

const GARBAGE: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ["nothing", text("")],
  ["HTML", text("<html>welcome</html>")],
  ["half a JSON", text('{"ok":true')],
  ["an array", text(`[${YES}]`)],
  ["null", text("null")],
  ["true", text("true")],
  ["no `ok`", text('{"subject":"u1"}')],
  ['ok: "true"', text('{"ok":"true"}')],
  ["ok: 1", text('{"ok":1}')],
  ["a subject that is no text", text('{"ok":true,"subject":1}')],
  ["an empty subject", text('{"ok":true,"subject":""}')],
  ["operations that are no list", text('{"ok":true,"operations":"subscribe"}')],
  ["operations that are no texts", text('{"ok":true,"operations":[1]}')],
  ["an end that is no time", text('{"ok":true,"expiresAt":"tomorrow"}')],
  ["a window that is no number", text('{"ok":true,"replayWindowMs":"1h"}')],
  ["the status 201", status(201)],
  ["the status 204", (response) => void response.writeHead(204).end()],
  ["the status 400", status(400)],
  [
    "an answer that is cut off",
    (response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write(YES, () => response.destroy());
    },
  ],
];

describe.each(CALLERS)("over $name", ({ asked, come, numberOf }) => {
  const refusedWith = (status: number, code: string) => ({ number: numberOf(status), code });

  it("ok:true: lets in; the app is shown what the definition names, and its own token", async () => {
    const token = tokenFor({ ok: true, subject: "u1" });
    const headers = { cookie: "a=1; session=abc; b=2", "user-agent": "test/1", "x-other": "secret" };
    const { close } = await come(`${url}?room=lobby&level=7`, { headers: { ...headers, ...bearer(token) } });
    expect(guarded.callsAbout(token)).toEqual([
      {
        path: "/channels/authorize",
        authorization: `Bearer ${guarded.server.token}`,
        text: expect.any(String),
        body: {
          version: 1,
          channel: "guarded",
          params: { room: "lobby", level: 7 },
          ...asked,
          header: { scheme: "Bearer", value: token },
          cookie: "abc",
          ip: "127.0.0.1",
          userAgent: "test/1",
        },
      },
    ]);
    close();
  });

  it("ok:true with operations that lack the one asked for: is 403", async () => {
    const other = asked.operation === "publish" ? "subscribe" : "publish";
    for (const operations of [[other], []]) {
      const token = tokenFor({ ok: true, operations });
      await expect(come(url, { headers: bearer(token) })).rejects.toMatchObject(
        refusedWith(403, "forbidden"),
      );
    }
  });

  it.each([
    ["ok:false", {}, 403, "forbidden"],
    ["ok:false with status 401", { status: 401 }, 401, "unauthenticated"],
    ["ok:false with status 403", { status: 403 }, 403, "forbidden"],
    ["ok:false with status 404", { status: 404 }, 404, "channel_unknown"],
    ["ok:false with any other status", { status: 200 }, 403, "forbidden"],
    ["ok:false with any other status", { status: 503 }, 403, "forbidden"],
  ])("%s: refuses with the app's reason, given %j", async (_, answer, status, code) => {
    const token = tokenFor({ ok: false, reason: "not today", ...answer });
    const error = await come(url, { headers: bearer(token) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(refusedWith(status, code));
    expect(JSON.stringify(error)).toContain("not today");
  });

  it.each([
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "channel_unknown"],
  ])("the app's own %i: refuses with it, whatever its body says", async (status, code) => {
    for (const body of ["<html>", YES]) {
      const token = tokenSending((response) => void response.writeHead(status).end(body));
      await expect(come(url, { headers: bearer(token) })).rejects.toMatchObject(refusedWith(status, code));
    }
  });

  it.each(GARBAGE)("garbage: lets nobody in with %s, and is no rejection", async (_, send) => {
    const token = tokenSending(send);
    const refusal = come(url, { headers: bearer(token) });
    await expect(refusal).rejects.toMatchObject(refusedWith(503, "app_unavailable"));
  });

  it("an answer that is too big: lets nobody in", async () => {
    const token = tokenSending(text(`{"ok":true,"padding":"${"x".repeat(100_000)}"}`));
    const refusal = come(url, { headers: bearer(token) });
    await expect(refusal).rejects.toMatchObject(refusedWith(503, "app_unavailable"));
    expect(guarded.callsAbout(token)).toHaveLength(1);
  });

  it("5xx: lets nobody in, and says when to come back", async () => {
    const [final, mayChange] = [500, 503].map((code) => tokenSending(status(code)));
    for (const token of [final, mayChange]) {
      const refusal = come(url, { headers: bearer(token ?? "") });
      await expect(refusal).rejects.toMatchObject(refusedWith(503, "app_unavailable"));
      const error = (await refusal.catch((thrown: unknown) => thrown)) as Refusal;
      if (asked.transport === "http") expect(error.fields["retryAfter"]).toBe("1");
      else if (asked.transport === "ws") expect(error.fields["afterMs"]).toBe(1_000);
    }
    expect(guarded.callsAbout(final ?? "")).toHaveLength(1);
    expect(guarded.callsAbout(mayChange ?? "").length).toBeGreaterThan(1);
  });

  it("a redirect: is not followed, so that nobody else is asked and shown the internal token", async () => {
    await using elsewhere = await startTestApp(() => ({ ok: true }));
    for (const code of [301, 302, 307, 308]) {
      const token = tokenSending(status(code, { location: `${elsewhere.url}/channels/authorize` }));
      const refusal = come(url, { headers: bearer(token) });
      await expect(refusal).rejects.toMatchObject(refusedWith(503, "app_unavailable"));
    }
    expect(elsewhere.calls).toEqual([]);
  });

  it("no credential where auth names one: is 401, and the app is not asked", async () => {
    const before = guarded.app.calls.length;
    for (const headers of [{}, { cookie: "other=1; session=" }, { authorization: "" }]) {
      await expect(come(url, { headers })).rejects.toMatchObject(refusedWith(401, "unauthenticated"));
    }
    expect(guarded.app.calls).toHaveLength(before);
  });

  it.each([
    ["a cookie alone", (token: string) => ({ cookie: `a=1; session=${token}` })],
    ["the header alone", (token: string) => bearer(token)],
    ["another scheme", (token: string) => ({ authorization: `Custom ${token}` })],
    ["a header without a scheme", (token: string) => ({ authorization: token })],
  ])("header or cookie, one is enough: %s is shown to the app", async (_, show) => {
    const token = tokenFor({ ok: true });
    const { close } = await come(url, { headers: show(token) });
    expect(guarded.callsAbout(token)).toHaveLength(1);
    close();
  });

  it("header or cookie, one is enough: only what the definition names is shown", async () => {
    const token = tokenFor({ ok: true });
    const headers = { "x-key": token, authorization: "Bearer other", cookie: "session=other" };
    const { close } = await come(`${guarded.server.url}/channels/keyed`, { headers });
    const [call] = guarded.callsAbout(token);
    expect(call?.body).toMatchObject({ header: { value: token } });
    expect(JSON.stringify(call?.body)).not.toContain("other");
    close();
  });

  it("?token= counts as Bearer: before the header, and is no param", async () => {
    const token = tokenFor({ ok: true });
    const { close } = await come(`${url}?room=a&token=${token}`, { headers: bearer("other") });
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({
      header: { scheme: "Bearer", value: token },
      params: { room: "a" },
    });
    expect(JSON.stringify(guarded.server.logged)).not.toContain(`${token}"`);
    close();
  });

  it("expiresAt in the past: is no grant but a 401, and the log says why", async () => {
    for (const expiresAt of [0, Date.now() - 1, Math.round(Date.now() / 1_000)]) {
      const token = tokenFor({ ok: true, subject: "late", expiresAt });
      const refusal = come(`${url}?room=late`, { headers: bearer(token) });
      await expect(refusal).rejects.toMatchObject(refusedWith(401, "unauthenticated"));
      const fields = { channel: "guarded", expiresAt, count: expect.any(Number) as number };
      await expect
        .poll(() => guarded.server.logged, PATIENT)
        .toContainEqual(expect.objectContaining({ event: "grant-over", fields }));
    }
    const { log, close } = await openSse(`${url}?room=late&rewind=10`, {
      headers: bearer(tokenFor({ ok: true })),
    });
    await guarded.server.publish("guarded?room=late", MESSAGE);
    expect(JSON.parse((await log.waitFor(1))[0]?.json ?? "")).not.toHaveProperty("from");
    close();
  });

  it("identical calls in flight are made once: and anew once they are answered", async () => {
    const gate = shutGate();
    const token = guarded.tokenFor(async () => {
      await gate.opened;
      return { ok: true };
    });
    const headers = bearer(token);
    const coming = Array.from({ length: 20 }, () => come(url, { headers }));
    const other = come(`${url}?room=other`, { headers });
    await expect.poll(() => guarded.callsAbout(token).length, PATIENT).toBeGreaterThan(1);
    await roundTrips(guarded.server);
    gate.open();
    const open = await Promise.all([...coming, other]);
    expect(guarded.callsAbout(token)).toHaveLength(2);
    open.push(await come(url, { headers }));
    expect(guarded.callsAbout(token)).toHaveLength(3);
    for (const { close } of open) close();
  });

  it("calls at a time are bounded: the others wait their turn, and are served", async () => {
    const gate = shutGate();
    let underWay = 0;
    let most = 0;
    await using app = await startTestApp(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await gate.opened;
      underWay -= 1;
      return { ok: true };
    });
    await using server = await startTestServer({
      channels: { guarded: GUARDED },
      app: { url: app.url },
      limits: { maxAuthorizeCalls: 2 },
    });
    const coming = Array.from({ length: 6 }, (_, index) =>
      come(`${server.url}/channels/guarded`, { headers: bearer(`caller ${index}`) }),
    );
    await expect.poll(() => app.calls.length, PATIENT).toBe(2);
    await roundTrips(server);
    gate.open();
    for (const { close } of await Promise.all(coming)) close();
    expect(app.calls).toHaveLength(6);
    expect(most).toBe(2);
  });

  it("a caller that has left is not asked about: its place in line is given up", async () => {
    const gate = shutGate();
    await using app = await startTestApp(async () => {
      await gate.opened;
      return { ok: true };
    });
    await using server = await startTestServer({
      channels: { guarded: GUARDED },
      app: { url: app.url },
      limits: { maxAuthorizeCalls: 1 },
    });
    const leaves = new AbortController();
    const room = (name: string, signal?: AbortSignal): ReturnType<typeof come> => {
      const options = { headers: bearer(name) };
      return come(`${server.url}/channels/guarded`, signal === undefined ? options : { ...options, signal });
    };
    const first = room("first");
    await expect.poll(() => app.calls.length, PATIENT).toBe(1);
    const left = Promise.allSettled([
      room("left", leaves.signal),
      room("left", leaves.signal),
      room("left by one", leaves.signal),
    ]);
    const others = [room("left by one"), room("last")];
    await roundTrips(server);
    leaves.abort();
    await left;
    await roundTrips(server);
    gate.open();
    for (const { close } of await Promise.all([first, ...others])) close();
    const values = app.calls.map(({ body }) => (body["header"] as { value: string }).value);
    expect(values.toSorted()).toEqual(["first", "last", "left by one"]);
  });

  it("a caller that has left is not asked about: nor when the app comes up at last", async () => {
    const port = await pickFreePort();
    await using server = await startBefore(port);
    const leaves = new AbortController();
    const target = `${server.url}/channels/guarded`;
    const left = come(target, { headers: bearer("left"), signal: leaves.signal }).catch(() => {});
    const stays = come(target, { headers: bearer("stays") });
    await roundTrips(server);
    leaves.abort();
    await left;
    await roundTrips(server);
    await using app = await startTestApp(() => ({ ok: true }), port);
    (await stays).close();
    await delay(1_600); // longer than the longest pause between two attempts
    expect(app.calls).toHaveLength(1);
  });

  it.each([
    EVIL,
    "null",
    "http://localhost:1",
    "https://partner.example.evil.example",
    "http://partner.example",
  ])("an Origin that is not the host's: %s is refused with 403, and the app is not asked", async (origin) => {
    const token = tokenFor({ ok: true });
    const refusal = come(url, { headers: { origin, ...bearer(token) } });
    await expect(refusal).rejects.toMatchObject(refusedWith(403, "origin_forbidden"));
    expect(guarded.callsAbout(token)).toHaveLength(0);
  });

  it("an Origin in allowedOrigins: is let in like the host's own, and shown to the app", async () => {
    for (const origin of [PARTNER, guarded.server.url]) {
      const token = tokenFor({ ok: true });
      const { close } = await come(url, { headers: { origin, ...bearer(token) } });
      expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ origin });
      close();
    }
  });

  it("no Origin: passes, it is no browser", async () => {
    const token = tokenFor({ ok: true });
    const { close } = await come(url, { headers: bearer(token) });
    expect(guarded.callsAbout(token)[0]?.body).not.toHaveProperty("origin");
    close();
  });

  it("the internal token in public: is a stranger's credential like any other", async () => {
    const headers = bearer(guarded.server.token);
    await expect(come(url, { headers })).rejects.toMatchObject(refusedWith(401, "unauthenticated"));
    expect(guarded.callsAbout(guarded.server.token)).not.toHaveLength(0);
  });

  it("a refusal is in the log: with code, channel and address, never with a credential", async () => {
    await using other = await startGuardedServer();
    const token = other.tokenFor(() => ({ ok: false, reason: "secret reason" }));
    const headers = { ...bearer(token), cookie: "session=secret-cookie" };
    const target = `${other.server.url}/channels/guarded`;
    for (let time = 0; time < 20; time += 1) {
      await expect(come(target, { headers })).rejects.toMatchObject({ code: "forbidden" });
    }
    const refused = () => other.server.logged.filter(({ event }) => event === "refused");
    const count = () => refused().reduce((sum, { fields }) => sum + Number(fields?.["count"]), 0);
    await expect.poll(count, PATIENT).toBe(20);
    expect(refused().length).toBeLessThan(20);
    expect(refused()[0]).toMatchObject({
      level: "info",
      fields: { code: "forbidden", channel: "guarded", address: "127.0.0.1", transport: asked.transport },
    });
    expect(JSON.stringify(other.server.logged)).not.toMatch(/secret|token-/);
  });
});

describe.concurrent.each(CALLERS)("over $name", ({ come, numberOf }) => {
  it.each([
    ["never comes", () => {}],
    ["never ends", (response: ServerResponse) => void response.write(YES)],
    [
      "comes byte by byte",
      (response: ServerResponse) => {
        const timer = setInterval(() => response.write(" "), 200);
        response.once("close", () => clearInterval(timer));
      },
    ],
  ])("no answer in time: one that %s lets nobody in, and is not asked for again", async (_, send) => {
    const token = tokenSending(send);
    await expect(come(url, { headers: bearer(token) })).rejects.toMatchObject({
      number: numberOf(503),
      code: "app_unavailable",
    });
    expect(guarded.callsAbout(token)).toHaveLength(1);
  });

  it("refused, reset, 502, 503 and 504 while the app restarts: are waited out", async () => {
    const port = await pickFreePort();
    await using server = await startBefore(port);
    const coming = come(`${server.url}/channels/guarded`, { headers: bearer("any") });
    await roundTrips(server, 20); // it has been refused by now
    const sends = [
      (response: ServerResponse) => void response.destroy(),
      status(502),
      status(503),
      status(504),
    ];
    await using app = await startTestApp((_, response) => {
      const send = sends.shift();
      if (send === undefined) return { ok: true };
      send(response);
      return undefined;
    }, port);
    const { close } = await coming;
    expect(app.calls).toHaveLength(5);
    close();
  });
});

describe.concurrent.each(SUBSCRIBERS)("over $name", ({ name, connect }) => {
  it("expiresAt: ends the connection then, to be resumed; the client is asked about again", async () => {
    const { token, expiresAt } = tokenForAWhile({ subject: "short" });
    const { log } = await connect(url, { headers: bearer(token) });
    const { closeCode, title, afterMs } = await log.ended;
    expect(Date.now()).toBeGreaterThan(expiresAt() - 100); // two clocks
    expect(title).toBe("connection lifetime is over");
    expect(afterMs).toBeGreaterThanOrEqual(0);
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 4_408 }[name]);
    await expect(connect(url, { headers: bearer(token) })).rejects.toMatchObject({
      number: { SSE: 401, WebSocket: 4_401 }[name],
    });
  });

  it("replayWindowMs of the answer: limits how far back this reader may go, and nobody else", async ({
    expect,
  }) => {
    const [short, long] = [{ replayWindowMs: 0 }, {}].map((given) => tokenFor({ ok: true, ...given }));
    const room = `room=windows-${name}`;
    const [first] = await guarded.server.publish(`guarded?${room}`, [MESSAGE, MESSAGE]);
    const resume = `${url}?${room}&last_message_id=${first}`;
    const outcome = () =>
      connect(resume, { headers: bearer(short ?? "") }).then(
        ({ close }) => close(),
        (refusal: Refusal) => refusal.code,
      );
    await expect.poll(outcome, PATIENT).toBe("replay_window_exceeded");
    const { log, close } = await connect(resume, { headers: bearer(long ?? "") });
    expect(await log.waitFor(1)).toHaveLength(1);
    close();
  });

  it("maxConnectionLifetimeMs of the answer: ends the connection between 80 and 100 % of it", async () => {
    const token = tokenFor({ ok: true, maxConnectionLifetimeMs: 10_000 });
    const startedAt = performance.now();
    const { log } = await connect(url, { headers: bearer(token) });
    const { title, closeCode } = await log.ended;
    expect(performance.now() - startedAt).toBeGreaterThan(7_900);
    expect(title).toBe("connection lifetime is over");
    expect(closeCode).toBe({ SSE: undefined, WebSocket: 4_408 }[name]);
  });

  it("inactivityTtlMs of the answer: keeps the stream that much longer, and never shorter", async ({
    expect,
  }) => {
    await using other = await startGuardedServer({
      channels: { brief: { ...GUARDED, inactivityTtlMs: 1_000, paramsSchema: ROOMS } },
    });
    const given = { kept: HOUR, forever: 0, shorter: 1_000, control: undefined };
    const target = (room: string): string => `${other.server.url}/channels/brief?room=${room}`;
    const plain = bearer(other.tokenFor(() => ({ ok: true })));
    for (const [room, inactivityTtlMs] of Object.entries(given)) {
      await other.server.publish(`brief?room=${room}`, MESSAGE);
      const token = other.tokenFor(() => ({
        ok: true,
        ...(inactivityTtlMs !== undefined && { inactivityTtlMs }),
      }));
      const { close } = await connect(target(room), { headers: bearer(token) });
      close();
      // Whoever leaves last has been given less: what was promised before holds.
      (await connect(target(room), { headers: plain })).close();
    }
    const replay = (room: string) =>
      fetch(`${other.server.url}/channels/brief?room=${room}&last_message_id=${ORIGIN_ID}`, {
        headers: plain,
      }).then(async (response) => {
        await response.body?.cancel();
        return response.status;
      });
    // Asking uses the stream too, so not too often.
    for (const room of ["control", "shorter"]) {
      await expect.poll(() => replay(room), { ...PATIENT, interval: 8_000, timeout: 28_000 }).toBe(410);
    }
    expect(await replay("kept")).toBe(200);
    expect(await replay("forever")).toBe(200);
  }, 90_000);

  it("a setting out of bounds: is brought into them, and logged", async () => {
    const token = tokenFor({ ok: true, subject: name, keepaliveIntervalMs: name === "SSE" ? 1 : 2 });
    const { close } = await connect(url, { headers: bearer(token) });
    const given = name === "SSE" ? 1 : 2;
    const setting = { channel: "guarded", setting: "keepaliveIntervalMs", given, used: 1_000 };
    const entry = {
      level: "warn",
      event: "grant-clamped",
      fields: { ...setting, count: expect.any(Number) as number },
    };
    await vi.waitFor(
      () => expect(guarded.server.logged).toContainEqual(expect.objectContaining(entry)),
      PATIENT,
    );
    close();
  });

  it("disconnect by subject: closes all of the subject's connections at once, and nobody else's", async () => {
    const [gone, stays] = ["gone", "stays"].map((subject) => {
      let isAllowed = true;
      const token = guarded.tokenFor(() =>
        isAllowed ? { ok: true, subject: `${subject} ${name}` } : { ok: false },
      );
      return { headers: bearer(token), forbid: () => (isAllowed = false) };
    });
    if (gone === undefined || stays === undefined) throw new Error("two tokens");
    const open = await Promise.all([gone, gone, stays].map(({ headers }) => connect(url, { headers })));
    gone.forbid();
    const answer = await guarded.server.internal(
      "/_chanctl/disconnect",
      jsonBody({ subject: `gone ${name}` }),
    );
    expect(await answer.json()).toEqual({ closed: 2 });
    for (const { log } of open.slice(0, 2)) {
      expect(await log.ended).toMatchObject({
        title: "disconnected by the app",
        ...(name === "WebSocket" && { closeCode: 4_408 }),
      });
    }
    await expect(connect(url, { headers: gone.headers })).rejects.toMatchObject({ code: "forbidden" });
    const id = await guarded.server.publish("guarded", MESSAGE);
    expect((await open[2]?.log.waitFor(1))?.[0]?.id).toBe(id[0]);
    open[2]?.close();
  });

  it("a caller that waits for the app counts as a connection: in all, and by its address", async ({
    expect,
  }) => {
    for (const limit of ["maxConnections", "maxConnectionsPerAddress"]) {
      const gate = shutGate();
      await using other = await startGuardedServer({ limits: { [limit]: 2 } });
      const target = `${other.server.url}/channels/guarded`;
      const token = other.tokenFor(async () => {
        await gate.opened;
        return { ok: true, subject: "u1" };
      });
      const waiting = [1, 2].map(() => connect(target, { headers: bearer(token) }));
      await expect.poll(() => other.callsAbout(token).length, PATIENT).toBe(1);
      await roundTrips(other.server);
      await expect(connect(target, { headers: bearer("third") })).rejects.toMatchObject({
        number: { SSE: 429, WebSocket: 4_429 }[name],
        code: "rate_limited",
      });
      expect(other.app.calls).toHaveLength(1);
      expect(other.server.logged).toContainEqual(
        expect.objectContaining({
          level: "warn",
          event: "refused",
          message: expect.stringContaining(limit) as string,
          fields: expect.objectContaining({ code: "rate_limited", limit }) as object,
        }),
      );
      gate.open();
      const open = await Promise.all(waiting);
      for (const { close } of open) close();
      const again = () => connect(target, { headers: bearer(token) }).then(({ close }) => close());
      await expect
        .poll(
          () =>
            again().then(
              () => true,
              () => false,
            ),
          PATIENT,
        )
        .toBe(true);
    }
  });
});

const ROOMS = { type: "object", properties: { room: { type: "string" } } };
const ORIGIN_ID = "0000000000000000_0000000000000000";

describe.each(SUBSCRIBERS)("over $name", ({ connect }) => {
  it("calls at a time are bounded: 1,000 clients that come at once are all served", async () => {
    let underWay = 0;
    let most = 0;
    await using app = await startTestApp(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await delay(20);
      underWay -= 1;
      return { ok: true };
    });
    await using server = await startTestServer({ channels: { guarded: GUARDED }, app: { url: app.url } });
    const coming = Array.from({ length: 1_000 }, (_, index) =>
      connect(`${server.url}/channels/guarded`, { headers: bearer(`caller ${index}`) }),
    );
    for (const { close } of await Promise.all(coming)) close();
    expect(app.calls).toHaveLength(1_000);
    expect(most).toBeLessThanOrEqual(256);
  });
});

describe("over SSE", () => {
  it("a caller that has left is not asked about: a stream of HTTP/2 that is reset, or one of its POSTs", async () => {
    const gate = shutGate();
    await using app = await startTestApp(async () => {
      await gate.opened;
      return { ok: true };
    });
    await using certificates = await makeTestCertificates();
    await using server = await startTestServer({
      channels: { guarded: GUARDED },
      app: { url: app.url },
      limits: { maxAuthorizeCalls: 1 },
      tls: certificates.tls,
      http2: true,
    });
    const session = connectHttp2(server.url, { ca: certificates.caPem });
    const ask = (method: string, token: string): ClientHttp2Stream => {
      const path = method === "GET" ? "/channels/guarded" : toMessagesPath("guarded");
      const headers = { "content-type": "application/json", ...bearer(token) };
      const stream = session.request({ ":method": method, ":path": path, ...headers });
      return stream.end(method === "POST" ? JSON.stringify(MESSAGE) : undefined);
    };
    const first = ask("GET", "first");
    await expect.poll(() => app.calls.length, PATIENT).toBe(1);
    const leaving = [ask("GET", "left"), ask("POST", "left posting")];
    const last = ask("GET", "last");
    for (const stream of leaving) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.all(leaving.map((stream) => once(stream, "close")));
    for (let trip = 0; trip < 5; trip += 1) {
      await once(session.request({ ":path": "/channels/nope" }).resume(), "close"); // all is read by the end of these
    }
    gate.open();
    await Promise.all([first, last].map((stream) => once(stream, "data")));
    const values = app.calls.map(({ body }) => (body["header"] as { value: string }).value);
    expect(values).toEqual(["first", "last"]);
    session.destroy();
  });

  it("keepaliveIntervalMs of the answer: sends a comment after that long with nothing sent", async () => {
    const token = tokenFor({ ok: true, keepaliveIntervalMs: 1_000 });
    const { comments, close } = await openSse(`${url}?room=quiet`, { headers: bearer(token) });
    await expect.poll(() => comments.length, PATIENT).toBeGreaterThan(0);
    close();
  });
});

describe("over WebSocket", () => {
  it("keepaliveIntervalMs of the answer: sends a ping after that long", async () => {
    const token = tokenFor({ ok: true, keepaliveIntervalMs: 1_000 });
    const { webSocket, close } = await openWebSocket(`${url}?room=quiet`, { headers: bearer(token) });
    await once(webSocket, "ping");
    close();
  });

  it("a bearer sub-protocol: is shown to the app, and never echoed", async () => {
    const token = tokenFor({ ok: true, subject: "u1" });
    const protocols = ["chanctl.v1", `bearer.${token}`];
    const { controls, webSocket, close } = await openWebSocket(url, { protocols });
    expect(controls[0]).toMatchObject({ control: "ready", subject: "u1" });
    expect(webSocket.protocol).toBe("chanctl.v1");
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ header: { scheme: "Bearer", value: token } });
    close();
  });

  it("a first auth frame: is shown to the app", async () => {
    const token = tokenFor({ ok: true, subject: "u1" });
    const { controls, close } = await openWebSocket(url, { firstFrame: { control: "auth", token } });
    expect(controls).toMatchObject([{ control: "ready", subject: "u1" }]);
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ header: { scheme: "Bearer", value: token } });
    close();
  });

  it.each([
    ["another frame", MESSAGE, 4_401],
    ["no JSON", "hello", 4_400],
    ["an auth frame without a token", { control: "auth" }, 4_400],
  ])("a first auth frame: is wanted, %s is refused", async (_, firstFrame, number) => {
    await expect(openWebSocket(url, { firstFrame })).rejects.toMatchObject({ number });
  });

  it("a first auth frame: who waits to send it counts as a connection", async () => {
    await using other = await startGuardedServer({ limits: { maxConnectionsPerAddress: 2 } });
    const target = `${other.server.url}/channels/guarded`;
    const waiting = [1, 2].map(() => new WebSocket(target.replace(/^http/, "ws"), [SUB_PROTOCOL]));
    await Promise.all(waiting.map((webSocket) => once(webSocket, "open")));
    const token = other.tokenFor(() => ({ ok: true }));
    const outcome = () =>
      openWebSocket(target, { headers: bearer(token) }).then(
        ({ close }) => close(),
        (refusal: Refusal) => refusal.number,
      );
    await expect.poll(outcome, PATIENT).toBe(4_429);
    for (const webSocket of waiting) webSocket.terminate();
    await expect.poll(outcome, PATIENT).toBeUndefined();
  });

  async function signIn(room: string): Promise<WebSocketSubscriber> {
    const token = tokenFor({ ok: true, subject: "u1", operations: ["subscribe"] });
    return openWebSocket(`${url}?room=${room}`, { headers: bearer(token) });
  }

  it("an auth frame on a live connection: changes what it may do, and is answered by a new `ready`", async () => {
    const { send, control, controls, close } = await signIn("refresh");
    send({ ...MESSAGE, ref: 1 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "error", code: "forbidden" });
    send({ control: "auth", token: tokenFor({ ok: true, subject: "u1" }) });
    send({ ...MESSAGE, ref: 2 });
    expect(await control({ ref: 2 })).toMatchObject({ control: "ack" });
    expect(controls.filter((frame) => frame.control === "ready")).toHaveLength(2);
    close();
  });

  it("an auth frame on a live connection: changes its keepalive and its end", async () => {
    const { send, webSocket, log } = await signIn("terms");
    send({ control: "auth", token: tokenFor({ ok: true, subject: "u1", keepaliveIntervalMs: 1_000 }) });
    await once(webSocket, "ping");
    send({ control: "auth", token: tokenForAWhile({ subject: "u1" }).token });
    expect(await log.ended).toMatchObject({ closeCode: 4_408, title: "connection lifetime is over" });
  });

  it("an auth frame on a live connection: too many at once are refused, and the app is not asked", async () => {
    const token = tokenFor({ ok: true, subject: "u1" });
    const { send, control, controls, close } = await openWebSocket(url, { headers: bearer(token) });
    const [frames, burst] = [1_000, 10];
    const startedAt = performance.now();
    for (let ref = 0; ref < frames; ref += 1) send({ control: "auth", token, ref });
    send({ ...MESSAGE, ref: "message" });
    expect(await control({ ref: "message" })).toMatchObject({ control: "ack" });
    const dripped = (performance.now() - startedAt) / 1_000;
    const asked = guarded.callsAbout(token).length - 1;
    expect(asked).toBeGreaterThanOrEqual(burst);
    expect(asked).toBeLessThanOrEqual(burst + dripped);
    const refused = controls.filter(({ code }) => code === "rate_limited");
    expect(refused).toHaveLength(frames - asked);
    expect(refused[0]).toMatchObject({ afterMs: expect.any(Number) as number });
    close();
  });

  it("an auth frame on a live connection: does not begin a new life", async () => {
    const answer = { ok: true, subject: "u1", maxConnectionLifetimeMs: 10_000 };
    const token = tokenFor(answer);
    const { send, log } = await openWebSocket(`${url}?room=lives`, { headers: bearer(token) });
    const refreshing = setInterval(() => send({ control: "auth", token }), 2_000);
    expect(await log.ended).toMatchObject({ closeCode: 4_408, title: "connection lifetime is over" });
    clearInterval(refreshing);
  }, 30_000);

  it("an auth frame on a live connection: changes how far back it may read", async () => {
    const { send, log, pause, resume, controls } = await signIn("narrowed");
    pause();
    send({ control: "auth", token: tokenFor({ ok: true, subject: "u1", replayWindowMs: 0 }) });
    const calls = () =>
      guarded.app.calls.filter(({ body }) => JSON.stringify(body).includes("narrowed")).length;
    await expect.poll(calls, PATIENT).toBe(2);
    // More than the sockets' own buffers take: the rest must be read from the log, where it is too old by then.
    const batch = Array.from({ length: 15 }, () => ({ type: "m", data: "x".repeat(60_000) }));
    for (let sent = 0; sent < 30; sent += 1) await guarded.server.publish("guarded?room=narrowed", batch);
    resume();
    expect(await log.ended).toMatchObject({ closeCode: 4_410 });
    expect(controls.at(-1)).toMatchObject({ control: "error", code: "replay_window_exceeded" });
  });

  it.each([
    ["is refused", { ok: false }],
    ["is another subject's", { ok: true, subject: "u2" }],
    ["is nobody's", { ok: true }],
    ["is over already", { ok: true, subject: "u1", expiresAt: 1 }],
  ])("an auth frame on a live connection: with a token that %s closes with 4401", async (_, answer) => {
    const { send, log } = await signIn("refused");
    send({ control: "auth", token: tokenFor(answer) });
    expect(await log.ended).toMatchObject({ closeCode: 4_401 });
  });

  it("an auth frame on a live connection: that the app cannot answer is an error, and nothing changes", async () => {
    const { send, control, close } = await signIn("unanswered");
    send({ control: "auth", token: tokenSending(status(500)), ref: "r" });
    expect(await control({ ref: "r" })).toMatchObject({ control: "error", code: "app_unavailable" });
    send({ control: "nonsense", ref: "still here" });
    await control({ ref: "still here" });
    close();
  });

  it("on-publish calls have places of their own: newcomers do not wait for messages, nor they for them", async () => {
    const gates = { authorize: shutGate(), publish: shutGate() };
    const answer: Answer = async ({ path, body }) => {
      const isSlow = JSON.stringify(body).includes("slow");
      if (isSlow) await gates[path === "/channels/authorize" ? "authorize" : "publish"].opened;
      return { ok: true };
    };
    await using app = await startTestApp(answer);
    await using server = await startTestServer({
      channels: { shown: { ...GUARDED, onPublish: true } },
      app: { url: app.url },
      limits: { maxAuthorizeCalls: 1 },
    });
    const target = `${server.url}/channels/shown`;
    const first = await openWebSocket(target, { headers: bearer("a") });
    first.send({ type: "slow", data: 1, ref: 1 });
    await expect.poll(() => app.calls.length, PATIENT).toBe(2);
    const second = await openWebSocket(target, { headers: bearer("b") }); // while the message waits
    gates.publish.open();
    await first.control({ ref: 1 });
    const third = openWebSocket(target, { headers: bearer("slow") });
    await expect.poll(() => app.calls.length, PATIENT).toBe(4);
    second.send({ type: "quick", data: 1, ref: 2 }); // while the newcomer waits
    expect(await second.control({ ref: 2 })).toMatchObject({ control: "ack" });
    gates.authorize.open();
    for (const { close } of [first, second, await third]) close();
  });
});

describe("over HTTP", () => {
  it("expiresAt: a body that takes longer is asked about again", async () => {
    const { token, expiresAt } = tokenForAWhile();
    const { headers, method, body } = jsonBody(MESSAGE, bearer(token));
    const posting = httpRequest(guarded.server.url + toMessagesPath("guarded?room=slow-body"), {
      method,
      headers,
    });
    const answered = once(posting, "response") as Promise<[IncomingMessage]>;
    posting.write(body.slice(0, 5));
    await expect.poll(() => guarded.callsAbout(token).length, PATIENT).toBe(1);
    await expect.poll(() => Date.now(), PATIENT).toBeGreaterThan(expiresAt());
    posting.end(body.slice(5));
    const [response] = await answered;
    expect(response.resume().statusCode).toBe(401);
    expect(guarded.callsAbout(token)).toHaveLength(2);
  });

  it("the internal token in public: opens nothing that is the internal listener's", async () => {
    const headers = { ...bearer(guarded.server.token), "content-type": "application/json" };
    const { log, close } = await openSse(url, { headers: bearer(tokenFor({ ok: true, subject: "online" })) });
    const disconnect = { method: "POST", headers, body: '{"subject":"online"}' };
    const before = guarded.app.calls.length;
    expect((await fetch(`${guarded.server.url}/_chanctl/disconnect`, disconnect)).status).toBe(404);
    expect(guarded.app.calls).toHaveLength(before); // nor is it the app's
    const post = await fetch(guarded.server.url + toMessagesPath("guarded-read"), jsonBody(MESSAGE, headers));
    expect(post.status).toBe(403);
    await guarded.server.publish("guarded", MESSAGE);
    expect(await log.waitFor(1)).toHaveLength(1);
    close();
  });

  /** Sends a request with a target and headers that `fetch` would not let through. */
  function send(
    method: string,
    { target, headers = {} }: { target: string; headers?: Record<string, string> },
  ): Promise<{ status: number | undefined; headers: IncomingMessage["headers"] }> {
    const { hostname, port } = new URL(guarded.server.url);
    const body = method === "POST" ? JSON.stringify(MESSAGE) : "";
    return new Promise((resolve, reject) => {
      httpRequest({ hostname, port, path: target, method, headers })
        .on("response", (response) =>
          resolve({ status: response.resume().statusCode, headers: response.headers }),
        )
        .on("error", reject)
        .end(body);
    });
  }

  const posting = (origin: string) =>
    send("POST", {
      target: toMessagesPath("guarded"),
      headers: { origin, "content-type": "application/json", ...bearer(tokenFor({ ok: true })) },
    });

  it("an Origin that is not the host's: its page may not even read why", async () => {
    const { status, headers } = await posting(EVIL);
    expect(status).toBe(403);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("an Origin in allowedOrigins: its page may read the answer, and an error", async () => {
    const taken = await posting(PARTNER);
    const refused = await send("GET", { target: "/channels/nope", headers: { origin: PARTNER } });
    expect([taken.status, refused.status]).toEqual([200, 404]);
    for (const { headers } of [taken, refused]) {
      expect(headers).toMatchObject({
        "access-control-allow-origin": PARTNER,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after",
        vary: "origin",
      });
    }
  });

  it.each(["/channels/guarded", "/channels/guarded/messages", "/channels/nope"])(
    "a preflight: for %s is answered 204 for anyone, and only the allowed are told that they are",
    async (target) => {
      const headers = { "access-control-request-method": "POST" };
      const partner = await send("OPTIONS", { target, headers: { ...headers, origin: PARTNER } });
      expect(partner.status).toBe(204);
      expect(partner.headers).toMatchObject({
        "access-control-allow-origin": PARTNER,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": target.endsWith("/messages") ? "POST" : "GET",
        "access-control-allow-headers": "authorization, content-type, idempotency-key, last-event-id",
      });
      const evil = await send("OPTIONS", { target, headers: { ...headers, origin: EVIL } });
      expect(evil.status).toBe(204);
      expect(evil.headers).not.toHaveProperty("access-control-allow-origin");
    },
  );

  it.each(["/channels/keyed", "/channels/keyed/messages"])(
    "a preflight: for %s allows the header that its auth names",
    async (target) => {
      const { headers } = await send("OPTIONS", {
        target,
        headers: { "access-control-request-method": "GET", origin: PARTNER },
      });
      expect(headers["access-control-allow-headers"]).toBe(
        "authorization, content-type, idempotency-key, last-event-id, x-key",
      );
    },
  );

  it.each(
    ["authorize", "on-publish"].flatMap((call) => [
      `/channels/${call}`,
      `/channels/${call}?x=1`,
      `/channels/${call}/`,
      `/channels//${call}`,
      `/channels/./${call}`,
      `/channels/x/../${call}`,
      `/channels/${call}#x`,
      `/channels;x/${call}`,
      `//channels/${call}`,
      `/./channels/${call}`,
      `/x/../channels/${call}`,
      `/x/%2e%2e/channels/${call}`,
      `/%63hannels/${call}`,
      `/%2563hannels/${call}`,
      `/channels%2F${call}`,
      `/channels%5C${call}`,
      `/Channels/${call}`,
      `/\\channels/${call}`,
      `http://localhost/channels/${call}`,
      `HTTP://evil.example/x/../channels/${call}`,
      `/%252563hannels/${call}`,
      `/%zz/../%63hannels/${call}`,
      `/%ff/../%63hannels/${call}`,
      `/%63hannels/${call}/%zz/..`,
    ]),
  )(
    "/channels/authorize and /channels/on-publish from outside: %s does not reach the app",
    async (target) => {
      const headers = { "content-type": "application/json", ...bearer(guarded.server.token) };
      for (const method of ["POST", "GET", "PUT"]) {
        const before = guarded.app.calls.length;
        const { status } = await send(method, { target, headers });
        expect([404, 405]).toContain(status);
        expect(guarded.app.calls).toHaveLength(before);
      }
    },
  );

  it("/channels/authorize and /channels/on-publish from outside: the app's other paths are the app's", async () => {
    for (const target of ["/channels", "/xchannels/authorize"]) await send("POST", { target });
    expect(guarded.app.calls.slice(-2).map(({ path }) => path)).toEqual([
      "/channels",
      "/xchannels/authorize",
    ]);
  });
});
