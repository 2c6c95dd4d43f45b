import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pickFreePort } from "#src/platform/free-port.ts";
import { startTestApp } from "../support/app-answers.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody, startTestServer, toMessagesPath } from "../support/server.ts";
import { openSse, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "message", data: 1 };

let guarded: GuardedServer;
let url: string;

beforeAll(async () => {
  guarded = await startGuardedServer({ limits: { authFrameWaitMs: 500, maxConnectionsPerSubject: 3 } });
  url = `${guarded.server.url}/channels/guarded`;
});
afterAll(() => guarded[Symbol.asyncDispose]());

const REFUSED = { SSE: [401, 403, 404], WebSocket: [4401, 4403, 4404] };

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
  it("is let in when the app says so; the app is shown what the definition names, and its own token", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { close } = await connect(`${url}?room=lobby&level=7`, {
      headers: {
        ...bearer(token),
        cookie: "a=1; session=abc; b=2",
        "user-agent": "test/1",
        "x-other": "secret",
      },
    });
    expect(guarded.callsAbout(token)).toEqual([
      {
        path: "/channels/authorize",
        authorization: `Bearer ${guarded.server.token}`,
        body: {
          version: 1,
          channel: "guarded",
          params: { room: "lobby", level: 7 },
          operation: "subscribe",
          transport: { SSE: "sse", WebSocket: "ws" }[name],
          header: { scheme: "Bearer", value: token },
          cookie: "abc",
          ip: "127.0.0.1",
          userAgent: "test/1",
        },
      },
    ]);
    close();
  });

  it.each([
    ["a cookie alone", (token: string) => ({ headers: { cookie: `session=${token}` }, query: "" })],
    ["the token parameter", (token: string) => ({ headers: {}, query: `?token=${token}` })],
    ["another scheme", (token: string) => ({ headers: { authorization: `Custom ${token}` }, query: "" })],
    ["a header without a scheme", (token: string) => ({ headers: { authorization: token }, query: "" })],
  ])("may show %s", async (_, show) => {
    const token = guarded.tokenFor(() => ({ ok: true }));
    const { headers, query } = show(token);
    const { close } = await connect(url + query, { headers });
    expect(guarded.callsAbout(token)).toHaveLength(1);
    close();
  });

  it("is shown to the app with the header that the definition names", async () => {
    const token = guarded.tokenFor(() => ({ ok: true }));
    const { close } = await connect(`${guarded.server.url}/channels/keyed`, {
      headers: { "x-key": token, authorization: "Bearer other", cookie: "session=other" },
    });
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ header: { value: token } });
    expect(guarded.callsAbout(token)[0]?.body).not.toHaveProperty("cookie");
    close();
  });

  it("is refused with 401, and the app not asked, when it shows neither header nor cookie", async () => {
    const before = guarded.app.calls.length;
    await expect(connect(url, { headers: { cookie: "other=1; session=" } })).rejects.toMatchObject({
      number: REFUSED[name][0],
      code: "unauthenticated",
    });
    expect(guarded.app.calls).toHaveLength(before);
  });

  it.each([
    ["ok: false", { ok: false, reason: "not today" }, 1, "forbidden"],
    ["ok: false and 401", { ok: false, status: 401, reason: "not today" }, 0, "unauthenticated"],
    ["ok: false and 403", { ok: false, status: 403, reason: "not today" }, 1, "forbidden"],
    ["ok: false and 404", { ok: false, status: 404, reason: "not today" }, 2, "channel_unknown"],
    [
      "ok: false and a status that it may not choose",
      { ok: false, status: 200, reason: "not today" },
      1,
      "forbidden",
    ],
  ])("is refused with the app's status and reason for %s", async (_, answer, index, code) => {
    const token = guarded.tokenFor(() => answer);
    const error = await connect(url, { headers: bearer(token) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ number: REFUSED[name][index], code });
    expect(JSON.stringify(error)).toContain("not today");
  });

  it.each([
    [401, 0, "unauthenticated"],
    [403, 1, "forbidden"],
    [404, 2, "channel_unknown"],
  ])("is refused when the app itself answers with %i", async (status, index, code) => {
    const token = guarded.tokenFor((_, response) => {
      response.writeHead(status).end("<html>");
    });
    await expect(connect(url, { headers: bearer(token) })).rejects.toMatchObject({
      number: REFUSED[name][index],
      code,
    });
  });

  it("is refused when the app allows other operations only", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, operations: ["publish"] }));
    await expect(connect(url, { headers: bearer(token) })).rejects.toMatchObject({
      number: REFUSED[name][1],
      code: "forbidden",
    });
  });

  it("is refused one connection too many of its subject, not of another's", async () => {
    const [many, other] = ["many", "other"].map((subject) =>
      guarded.tokenFor(() => ({ ok: true, subject: `${subject} over ${name}` })),
    );
    const headers = bearer(many ?? "");
    const open = await Promise.all([1, 2, 3].map(() => connect(url, { headers })));
    await expect(connect(url, { headers })).rejects.toMatchObject({ code: "rate_limited" });
    open.push(await connect(url, { headers: bearer(other ?? "") }));
    for (const { close } of open) close();
  });

  it("makes one call of identical ones that are under way, and asks anew after it", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const token = guarded.tokenFor(async () => {
      await released;
      return { ok: true };
    });
    const headers = bearer(token);
    const connecting = Array.from({ length: 20 }, () => connect(url, { headers }));
    const other = connect(`${url}?room=other`, { headers });
    await expect.poll(() => guarded.callsAbout(token).length, PATIENT).toBeGreaterThan(1);
    // What came before these round trips has been read by the end of them.
    for (let trip = 0; trip < 5; trip += 1) await fetch(`${guarded.server.url}/channels/nope`);
    release();
    const open = await Promise.all([...connecting, other]);
    expect(guarded.callsAbout(token)).toHaveLength(2);
    open.push(await connect(url, { headers }));
    expect(guarded.callsAbout(token)).toHaveLength(3);
    for (const { close } of open) close();
  });

  it("is never named by its token in what is logged", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "logged" }));
    const { close } = await connect(`${url}?token=${token}`);
    close();
    const refused = guarded.tokenFor(() => ({ ok: false }));
    await connect(url, { headers: bearer(refused) }).catch(() => {});
    const logged = JSON.stringify(guarded.server.logged);
    expect(logged).toContain("logged");
    expect(logged).not.toContain(`${token}"`);
    expect(logged).not.toContain(`${refused}"`);
    expect(logged).not.toContain(guarded.server.token);
  });

  it("waits while the app restarts: refused connections, then 503, then an answer", async () => {
    const port = await pickFreePort();
    await using server = await startTestServer({
      channels: { guarded: { transport: "ws", auth: { headerName: "authorization" } } },
      app: { url: `http://127.0.0.1:${port}` },
      authorizeRetryMs: 20_000,
    });
    const connecting = connect(`${server.url}/channels/guarded`, { headers: bearer("any") });
    for (let trip = 0; trip < 20; trip += 1) await fetch(`${server.url}/channels/nope`); // it has been refused by now
    let calls = 0;
    await using app = await startTestApp((_, response) => {
      calls += 1;
      if (calls > 2) return { ok: true };
      response.writeHead(calls === 1 ? 503 : 502).end();
      return undefined;
    }, port);
    const { close } = await connecting;
    expect(app.calls).toHaveLength(3);
    close();
  });

  it("is told that the app is unavailable where there is none", async () => {
    await using server = await startTestServer({
      channels: { guarded: { transport: "ws", auth: { headerName: "authorization" } } },
    });
    await expect(connect(`${server.url}/channels/guarded`, { headers: bearer("any") })).rejects.toMatchObject(
      {
        number: { SSE: 503, WebSocket: 4503 }[name],
        code: "app_unavailable",
      },
    );
  });
});

it("asks the app about no more callers at once than the limit; the others wait their turn", async () => {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let underWay = 0;
  let most = 0;
  await using app = await startTestApp(async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await released;
    underWay -= 1;
    return { ok: true };
  });
  await using server = await startTestServer({
    channels: { guarded: { auth: { headerName: "authorization" } } },
    app: { url: app.url },
    limits: { maxAuthorizeCalls: 2 },
  });
  const connecting = Array.from({ length: 6 }, (_, index) =>
    openSse(`${server.url}/channels/guarded`, { headers: bearer(`caller ${index}`) }),
  );
  await expect.poll(() => app.calls.length, PATIENT).toBe(2);
  for (let trip = 0; trip < 5; trip += 1) await fetch(`${server.url}/channels/nope`);
  release();
  for (const { close } of await Promise.all(connecting)) close();
  expect(app.calls).toHaveLength(6);
  expect(most).toBe(2);
});

describe("a WebSocket that cannot set headers", () => {
  it("shows a token as a sub-protocol", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { controls, webSocket, close } = await openWebSocket(url, {
      protocols: ["chanctl.v1", `bearer.${token}`],
    });
    expect(controls[0]).toMatchObject({ control: "ready", subject: "u1" });
    expect(webSocket.protocol).toBe("chanctl.v1");
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ header: { scheme: "Bearer", value: token } });
    close();
  });

  it("shows a token in a first frame", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { controls, close } = await openWebSocket(url, { firstFrame: { control: "auth", token } });
    expect(controls).toMatchObject([{ control: "ready", subject: "u1" }]);
    expect(guarded.callsAbout(token)[0]?.body).toMatchObject({ header: { scheme: "Bearer", value: token } });
    close();
  });

  it.each([
    ["another frame", MESSAGE, 4401],
    ["no JSON", "hello", 4400],
    ["an auth frame without a token", { control: "auth" }, 4400],
  ])("is refused when its first frame is %s", async (_, firstFrame, number) => {
    await expect(openWebSocket(url, { firstFrame })).rejects.toMatchObject({ number });
  });
});

describe("an auth frame later on", () => {
  async function signIn(): Promise<Awaited<ReturnType<typeof openWebSocket>>> {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1", operations: ["subscribe"] }));
    return openWebSocket(url, { headers: bearer(token) });
  }

  it("refreshes what the caller may do, and is answered by a new `ready`", async () => {
    const { send, control, controls, close } = await signIn();
    send({ ...MESSAGE, ref: 1 });
    expect(await control({ ref: 1 })).toMatchObject({ control: "error", code: "forbidden" });
    send({ control: "auth", token: guarded.tokenFor(() => ({ ok: true, subject: "u1" })) });
    send({ ...MESSAGE, ref: 2 });
    expect(await control({ ref: 2 })).toMatchObject({ control: "ack" });
    expect(controls.filter((frame) => frame.control === "ready")).toHaveLength(2);
    close();
  });

  it.each([
    ["is refused", { ok: false }],
    ["is another subject's", { ok: true, subject: "u2" }],
    ["is nobody's", { ok: true }],
  ])("with a token that %s closes with 4401", async (_, answer) => {
    const { send, log } = await signIn();
    send({ control: "auth", token: guarded.tokenFor(() => answer) });
    expect(await log.ended).toMatchObject({ closeCode: 4401 });
  });

  it("that the app cannot answer is an error, and the connection goes on as it was", async () => {
    const { send, control, close } = await signIn();
    const token = guarded.tokenFor((_, response) => {
      response.writeHead(500).end();
    });
    send({ control: "auth", token, ref: "r" });
    expect(await control({ ref: "r" })).toMatchObject({ control: "error", code: "app_unavailable" });
    send({ control: "pong" });
    send({ control: "nonsense", ref: "still here" });
    await control({ ref: "still here" });
    close();
  });
});

describe("a client's publish", () => {
  it("over HTTP is asked about, and stored in the subject's name", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { log, close } = await openSse(`${url}?room=posted`, { headers: bearer(token) });
    const response = await fetch(
      guarded.server.url + toMessagesPath("guarded?room=posted"),
      jsonBody({ ...MESSAGE, from: "forged" }, bearer(token)),
    );
    expect(response.status).toBe(200);
    expect(guarded.callsAbout(token)[1]?.body).toMatchObject({ operation: "publish", transport: "http" });
    expect(JSON.parse((await log.waitFor(1))[0]?.json ?? "")).toMatchObject({ from: "u1", data: 1 });
    close();
  });

  it("over WebSocket is stored in the subject's name", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1" }));
    const { send, log, close } = await openWebSocket(`${url}?room=framed`, { headers: bearer(token) });
    send({ ...MESSAGE, from: "forged" });
    expect(JSON.parse((await log.waitFor(1))[0]?.json ?? "")).toMatchObject({ from: "u1", data: 1 });
    close();
  });

  it("is refused where the app allows subscribing only", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, operations: ["subscribe"] }));
    const response = await fetch(
      guarded.server.url + toMessagesPath("guarded"),
      jsonBody(MESSAGE, bearer(token)),
    );
    expect(response.status).toBe(403);
  });

  it("without a credential is refused with 401, and the app not asked", async () => {
    const before = guarded.app.calls.length;
    const response = await fetch(guarded.server.url + toMessagesPath("guarded"), jsonBody(MESSAGE));
    expect(response.status).toBe(401);
    expect(guarded.app.calls).toHaveLength(before);
  });

  it("to an sse channel is refused, whatever the app would say", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, operations: ["subscribe", "publish"] }));
    const response = await fetch(
      guarded.server.url + toMessagesPath("guarded-read"),
      jsonBody(MESSAGE, bearer(token)),
    );
    expect(response.status).toBe(403);
    expect(guarded.callsAbout(token)).toHaveLength(0);
  });
});

describe("what the app chooses for one connection", () => {
  it.each([sseClient, webSocketClient])(
    "ends it when the grant is over, over $name, to be resumed",
    async ({ connect }) => {
      const token = guarded.tokenFor(() => ({ ok: true, subject: "short", expiresAt: Date.now() + 500 }));
      const { log } = await connect(url, { headers: bearer(token) });
      const { closeCode, title, afterMs } = await log.ended;
      expect(title).toBe("connection lifetime is over");
      expect(afterMs).toBeGreaterThanOrEqual(0);
      if (closeCode !== undefined) expect(closeCode).toBe(4408);
    },
  );

  it("limits how far back this reader may go, and nobody else", async () => {
    const short = guarded.tokenFor(() => ({ ok: true, replayWindowMs: 0 }));
    const long = guarded.tokenFor(() => ({ ok: true }));
    const room = "guarded?room=windows";
    const [first] = await guarded.server.publish(room, [MESSAGE, MESSAGE]);
    const resume = `${url}?room=windows&last_message_id=${first}`;
    await expect
      .poll(() => openSse(resume, { headers: bearer(short) }).then(({ close }) => close(), String), PATIENT)
      .toContain("410");
    const { log, close } = await openSse(resume, { headers: bearer(long) });
    expect(await log.waitFor(1)).toHaveLength(1);
    close();
  });

  it("sets its keepalive; what is out of bounds is brought into them, and logged", async () => {
    const token = guarded.tokenFor(() => ({ ok: true, subject: "u1", keepaliveIntervalMs: 1 }));
    const { comments, close } = await openSse(url, { headers: bearer(token) });
    expect(guarded.server.logged.filter(({ event }) => event === "grant-clamped")).toMatchObject([
      {
        level: "warn",
        fields: { channel: "guarded", setting: "keepaliveIntervalMs", given: 1, used: 1_000 },
      },
    ]);
    await expect.poll(() => comments.length, PATIENT).toBeGreaterThan(0);
    close();
  });
});

describe("the app's own paths", () => {
  /** Sends a request target just as it is written. */
  function send(target: string): Promise<number | undefined> {
    const { hostname, port } = new URL(guarded.server.url);
    return new Promise((resolve, reject) => {
      httpRequest({
        hostname,
        port,
        path: target,
        method: "POST",
        headers: { "content-type": "application/json" },
      })
        .on("response", (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end('{"version":1}');
    });
  }

  it.each(
    ["authorize", "on-publish"].flatMap((call) => [
      `/channels/${call}`,
      `/channels/${call}?x=1`,
      `/channels/${call}/`,
      `//channels/${call}`,
      `/./channels/${call}`,
      `/x/../channels/${call}`,
      `/x/%2e%2e/channels/${call}`,
      `/%63hannels/${call}`,
      `/channels%2F${call}`,
      `/Channels/${call}`,
      `/\\channels/${call}`,
      `http://localhost/channels/${call}`,
      `HTTP://evil.example/x/../channels/${call}`,
    ]),
  )("are not reached from outside by %s", async (target) => {
    const before = guarded.app.calls.length;
    expect([404, 405]).toContain(await send(target));
    expect(guarded.app.calls).toHaveLength(before);
  });

  it("do not hide the app's other paths", async () => {
    await send("/channels");
    await send("/xchannels/authorize");
    expect(guarded.app.calls.slice(-2).map(({ path }) => path)).toEqual([
      "/channels",
      "/xchannels/authorize",
    ]);
  });
});
