import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { allow, createChannels, reject } from "#src/index.ts";
import type { StreamRequest } from "#src/index.ts";
import { signJwt } from "#src/auth/sign-jwt.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import type { StreamOperation } from "#src/protocol/app-call.ts";
import { startTestApp } from "../../support/app-answers.ts";
import type { Answer } from "../../support/app-answers.ts";
import { PUBLIC_ROOMS } from "../../support/server.ts";
import { createText, outcomeOf, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const SECRET = "jwt secret";
const HOUR_MS = 3_600_000;
const TEXT = { "content-type": "text/plain" };

/** What each operation is over HTTP, on a stream that is there. */
const REQUESTS: Readonly<Record<StreamOperation, RequestInit>> = {
  create: { method: "PUT", headers: TEXT },
  read: {},
  append: { method: "POST", headers: TEXT, body: "x" },
  close: { method: "POST", headers: { "stream-closed": "true" } },
  delete: { method: "DELETE" },
};
const DONE: Readonly<Record<StreamOperation, number>> = {
  create: 200,
  read: 200,
  append: 204,
  close: 204,
  delete: 204,
};
const OPERATIONS: readonly StreamOperation[] = ["create", "read", "append", "close", "delete"];

function tokenFor(
  subject: string,
  streams: readonly { path: string; operations: readonly StreamOperation[] }[] = [],
  expiresInMs = HOUR_MS,
): Promise<string> {
  return signJwt({ subject, streams, expiresAt: Date.now() + expiresInMs }, SECRET);
}

function withHeaders(init: RequestInit, added: Readonly<Record<string, string>>): RequestInit {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  return { ...init, headers };
}

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function start(options: Parameters<typeof startStreamServer>[0]): Promise<StreamServer> {
  const server = await startStreamServer(options);
  opened.push(server);
  return server;
}

async function startApp(answer: Answer): ReturnType<typeof startTestApp> {
  const app = await startTestApp(answer);
  opened.push(app);
  return app;
}

describe("without settings, app and tokens", () => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await startStreamServer({
      channels: { open: PUBLIC_ROOMS, guarded: { auth: { headerName: "x-key" } } },
    });
    await createText(server, "jobs/1");
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(OPERATIONS)(
    "nobody may %s a raw stream, and nobody learns whether it is there",
    async (operation) => {
      for (const name of ["jobs/1", "jobs/none"])
        expect(await outcomeOf(await fetch(server.streamUrl(name), REQUESTS[operation]))).toEqual([
          403,
          "forbidden",
        ]);
    },
  );

  it("anyone may read a public channel's stream, and nobody one that asks who they are", async () => {
    expect(await outcomeOf(await fetch(server.streamUrl("open/room=a")))).toEqual([200]);
    expect(await outcomeOf(await fetch(server.streamUrl("guarded")))).toEqual([401, "unauthenticated"]);
    const headers = { "x-key": "k" };
    expect(await outcomeOf(await fetch(server.streamUrl("guarded"), { headers }))).toEqual([
      503,
      "app_unavailable",
    ]);
  });

  it.each(OPERATIONS)("the app may %s over the internal listener", async (operation) => {
    await createText(server, `app/${operation}`);
    expect((await server.asApp(`app/${operation}`, REQUESTS[operation])).status).toBe(DONE[operation]);
  });

  it("the internal token is worth nothing at the public door", async () => {
    const headers = { authorization: `Bearer ${server.token}` };
    expect(await outcomeOf(await fetch(server.streamUrl("jobs/1"), { headers }))).toEqual([403, "forbidden"]);
    const wrong = await fetch(`${server.internalUrl}/ds/jobs/1`, {
      headers: { authorization: "Bearer other" },
    });
    expect(await outcomeOf(wrong)).toEqual([401, "unauthenticated"]);
  });
});

describe("the public modes", () => {
  it.each(OPERATIONS)(
    "`publicStreams` opens reading to all, and does not let %s otherwise",
    async (operation) => {
      const server = await start({ streams: { publicStreams: true } });
      await createText(server, "jobs/1");
      const expected = operation === "read" ? [200] : [403, "forbidden"];
      expect(await outcomeOf(await fetch(server.streamUrl("jobs/1"), REQUESTS[operation]))).toEqual(expected);
    },
  );

  it.each(OPERATIONS)("`publicWrites` lets anyone %s", async (operation) => {
    const server = await start({ streams: { publicWrites: true } });
    await createText(server, "jobs/1");
    expect((await fetch(server.streamUrl("jobs/1"), REQUESTS[operation])).status).toBe(DONE[operation]);
  });

  it("open a channel's stream without asking the app", async () => {
    const app = await startApp(() => ({ ok: false, status: 401 }));
    const streams = { publicStreams: true, publicWrites: true };
    const channels = { guarded: { transport: "ws", auth: { headerName: "x-key" } } };
    const server = await start({ streams, channels, app: { url: app.url } });
    const headers = { "content-type": "application/json" };
    const body = '{"type":"a","data":1}';
    expect((await fetch(server.streamUrl("guarded"), { method: "POST", headers, body })).status).toBe(204);
    expect((await fetch(server.streamUrl("guarded"))).status).toBe(200);
    expect(app.calls).toEqual([]);
  });
});

describe("client authentication", () => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await startStreamServer({
      streams: { publicStreams: true },
      channels: { open: PUBLIC_ROOMS },
      jwt: { key: SECRET, algorithms: ["HS256"] },
    });
    await createText(server, "jobs/1");
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(["jobs/1", "open"])("takes a token from each of its three places, for %s", async (name) => {
    const token = await tokenFor("u1");
    const url = server.streamUrl(name);
    expect((await fetch(url, { headers: { "x-jid": token } })).status).toBe(200);
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await fetch(`${url}?jid=${token}`)).status).toBe(200);
  });

  it.each<[string, () => Promise<string | undefined>, string]>([
    ["missing", async () => undefined, "token_missing"],
    ["not good", async () => "abc", "token_invalid"],
    [
      "of another secret",
      () => signJwt({ streams: [], expiresAt: Date.now() + HOUR_MS }, "other"),
      "token_invalid",
    ],
    ["expired", () => tokenFor("u1", [], -5_000), "token_expired"],
  ])(
    "refuses a token that is %s with 401 and how to do better, to read and to write",
    async (_, make, code) => {
      const token = await make();
      for (const name of ["jobs/1", "open"]) {
        for (const init of [{}, REQUESTS.append]) {
          const asked = withHeaders(init, token === undefined ? {} : { "x-jid": token });
          const response = await fetch(server.streamUrl(name), asked);
          const challenge = response.headers.get("www-authenticate");
          expect(challenge).toMatch(
            code === "token_missing"
              ? /^Bearer$/
              : /^Bearer error="invalid_token", error_description="[^"]+"$/,
          );
          expect(await outcomeOf(response)).toEqual([401, code]);
        }
      }
    },
  );

  it("`skipAuth` skips it, and what is authorized stays authorized", async () => {
    const skipping = await start({
      streams: { skipsAuthentication: true },
      jwt: { key: SECRET, algorithms: ["HS256"] },
    });
    await createText(skipping, "jobs/1");
    const url = skipping.streamUrl("jobs/1");
    expect(await outcomeOf(await fetch(url))).toEqual([403, "forbidden"]);
    expect(await outcomeOf(await fetch(url, { headers: { "x-jid": "abc" } }))).toEqual([403, "forbidden"]);
    const token = await tokenFor("u1", [{ path: "jobs/*", operations: ["read"] }]);
    expect(await outcomeOf(await fetch(url, { headers: { "x-jid": token } }))).toEqual([200]);
  });

  it("`jwt.param` renames the header and the parameter", async () => {
    const jwt = { key: SECRET, algorithms: ["HS256"], param: "Pass" } as const;
    const renamed = await start({ streams: { publicStreams: true }, jwt });
    await createText(renamed, "jobs/1");
    const token = await tokenFor("u1");
    const url = renamed.streamUrl("jobs/1");
    expect((await fetch(url, { headers: { "x-pass": token } })).status).toBe(200);
    expect((await fetch(`${url}?Pass=${token}`)).status).toBe(200);
    expect(await outcomeOf(await fetch(`${url}?jid=${token}`))).toEqual([401, "token_missing"]);
    expect(await outcomeOf(await fetch(url, { headers: { "x-jid": token } }))).toEqual([
      401,
      "token_missing",
    ]);
  });

  it("is 503, and not 401, while the keys cannot be loaded", async () => {
    const key = new URL(`http://127.0.0.1:${await pickFreePort()}/jwks.json`);
    const keyless = await start({ streams: { publicStreams: true }, jwt: { key, algorithms: ["ES256"] } });
    await createText(keyless, "jobs/1");
    const jwt = { alg: "ES256", kid: "k1" };
    const token = `${Buffer.from(JSON.stringify(jwt)).toString("base64url")}.e30.AAAA`;
    const response = await fetch(keyless.streamUrl("jobs/1"), { headers: { "x-jid": token } });
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await outcomeOf(response)).toEqual([503, "keys_unavailable"]);
  });
});

describe("the claims of a JWT", () => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await startStreamServer({
      jwt: { key: SECRET, algorithms: ["HS256"] },
      channels: { chat: { transport: "ws", auth: { headerName: "x-key" } } },
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(OPERATIONS.flatMap((claimed) => OPERATIONS.map((operation) => [claimed, operation] as const)))(
    "that allow to %s: %s",
    async (claimed, operation) => {
      const name = `claims/${claimed}-${operation}`;
      await createText(server, name);
      const token = await tokenFor("u1", [{ path: "claims/*", operations: [claimed] }]);
      const response = await fetch(
        server.streamUrl(name),
        withHeaders(REQUESTS[operation], { "x-jid": token }),
      );
      expect(await outcomeOf(response)).toEqual(
        claimed === operation ? [DONE[operation]] : [403, "forbidden"],
      );
    },
  );

  it("hold for the paths of their pattern, in any spelling", async () => {
    const token = await tokenFor("u1", [{ path: "чат/*", operations: ["read"] }]);
    for (const [name, status] of [
      ["чат/1", 200],
      ["чат", 403],
      ["чат/1/2", 403],
      ["jobs/9", 403],
    ] as const) {
      await createText(server, encodeURI(name));
      expect((await fetch(server.streamUrl(encodeURI(name)), { headers: { "x-jid": token } })).status).toBe(
        status,
      );
    }
    const spelled = server.streamUrl("%D1%87%D0%B0%D1%82/%31");
    expect((await fetch(spelled, { headers: { "x-jid": token } })).status).toBe(200);
  });

  it("an append that closes needs both", async () => {
    for (const [operations, status] of [
      [["append"], 403],
      [["close"], 403],
      [["append", "close"], 204],
    ] as const) {
      const name = `both/${operations.join("-")}`;
      await createText(server, name);
      const headers = {
        ...TEXT,
        "stream-closed": "true",
        "x-jid": await tokenFor("u1", [{ path: "both/*", operations }]),
      };
      const response = await fetch(server.streamUrl(name), { method: "POST", headers, body: "end" });
      expect(response.status).toBe(status);
      const closed = (await server.asApp(name, { method: "HEAD" })).headers.get("stream-closed");
      expect(closed).toBe(status === 204 ? "true" : null);
    }
  });

  it("a fork needs to be allowed to read what it is made from", async () => {
    await createText(server, "source/secret", "the secret");
    const fork = { method: "PUT", headers: { "stream-forked-from": "/ds/source/secret" } };
    const blind = await tokenFor("u1", [{ path: "forks/*", operations: ["create", "read"] }]);
    const refused = await fetch(server.streamUrl("forks/1"), withHeaders(fork, { "x-jid": blind }));
    expect(await outcomeOf(refused)).toEqual([403, "forbidden"]);
    const seeing = await tokenFor("u1", [
      { path: "forks/*", operations: ["create", "read"] },
      { path: "source/*", operations: ["read"] },
    ]);
    const made = await fetch(server.streamUrl("forks/1"), withHeaders(fork, { "x-jid": seeing }));
    expect(made.status).toBe(201);
  });

  it("say nothing of a channel's stream: its app does", async () => {
    const token = await tokenFor("u1", [{ path: "**", operations: OPERATIONS }]);
    const headers = { "x-jid": token, "x-key": "k" };
    expect(await outcomeOf(await fetch(server.streamUrl("chat"), { headers }))).toEqual([
      503,
      "app_unavailable",
    ]);
  });

  it.each([false, true])(
    "end a live response when the token ends, `publicStreams` or not",
    async (publicStreams) => {
      const server = await start({ streams: { publicStreams }, jwt: { key: SECRET, algorithms: ["HS256"] } });
      await createText(server, "live/1");
      const token = await tokenFor("u1", [{ path: "live/*", operations: ["read"] }], 6_000);
      const headers = { "x-jid": token };
      const events = await fetch(server.streamUrl("live/1?offset=now&live=sse"), { headers });
      expect(events.status).toBe(200);
      await events.text(); // or the test runs out of time: the stream's own life is a minute
      expect(await outcomeOf(await fetch(server.streamUrl("live/1"), { headers }))).toEqual([
        401,
        "token_expired",
      ]);
    },
  );
});

describe("the app's word about a raw stream", () => {
  it("is asked for, with what it needs to know", async () => {
    const app = await startApp(() => ({ ok: true, subject: "u1" }));
    const server = await start({ app: { url: app.url } });
    await createText(server, encodeURI("jobs/ü"));
    const headers = { authorization: "Bearer abc", cookie: "a=1; session=s", "user-agent": "test/1" };
    for (const operation of OPERATIONS)
      expect(
        (await fetch(server.streamUrl("jobs/%C3%BC"), withHeaders(REQUESTS[operation], headers))).status,
      ).toBe(DONE[operation]);
    expect(app.calls.map(({ path, authorization, body }) => ({ path, authorization, body }))).toEqual(
      OPERATIONS.map((operation) => ({
        path: "/channels/authorize",
        authorization: `Bearer ${server.token}`,
        body: {
          version: 1,
          stream: "jobs/%C3%BC",
          operation,
          transport: "ds",
          header: { scheme: "Bearer", value: "abc" },
          cookie: "a=1; session=s",
          ip: "127.0.0.1",
          userAgent: "test/1",
        },
      })),
    );
  });

  it("is asked for whom a verified JWT names, after its claims", async () => {
    const app = await startApp(({ body }) => ({ ok: body["operation"] === "read" }));
    const server = await start({ app: { url: app.url }, jwt: { key: SECRET, algorithms: ["HS256"] } });
    await createText(server, "jobs/1");
    const headers = { "x-jid": await tokenFor("u7", [{ path: "jobs/*", operations: ["append"] }]) };
    const url = server.streamUrl("jobs/1");
    expect((await fetch(url, withHeaders(REQUESTS.append, headers))).status).toBe(204);
    expect(app.calls).toEqual([]);
    expect((await fetch(url, { headers })).status).toBe(200);
    expect((await fetch(url, withHeaders(REQUESTS.delete, headers))).status).toBe(403);
    expect(app.calls.map(({ body }) => [body["operation"], body["subject"]])).toEqual([
      ["read", "u7"],
      ["delete", "u7"],
    ]);
  });

  it.each<[string, Answer, readonly [number, string]]>([
    ["no", () => ({ ok: false, reason: "not yours" }), [403, "forbidden"]],
    ["no, with 401", () => ({ ok: false, status: 401 }), [401, "unauthenticated"]],
    ["no, with 404", () => ({ ok: false, status: 404 }), [404, "stream_unknown"]],
    ["yes to something else", () => ({ ok: true, operations: ["append"] }), [403, "forbidden"]],
    ["a channel's yes", () => ({ ok: true, operations: ["subscribe", "publish"] }), [403, "forbidden"]],
    ["garbage", () => ({ okay: true }), [503, "app_unavailable"]],
    ["a number for yes", () => ({ ok: 1 }), [503, "app_unavailable"]],
    ["its own 404 page", (_, response) => void response.writeHead(404).end("<h1>?"), [403, "forbidden"]],
    ["500", (_, response) => void response.writeHead(500).end(), [503, "app_unavailable"]],
    [
      "a redirect",
      (_, response) => void response.writeHead(302, { location: "/" }).end(),
      [503, "app_unavailable"],
    ],
  ])("%s is no", async (_, answer, expected) => {
    const app = await startApp(answer);
    const server = await start({ app: { url: app.url } });
    await createText(server, "jobs/1");
    const response = await fetch(server.streamUrl("jobs/1"));
    if (expected[0] === 401) expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await outcomeOf(response)).toEqual(expected);
  });

  it("is 503 where the app cannot be asked", async () => {
    const server = await start({ app: { url: `http://127.0.0.1:${await pickFreePort()}` } });
    await createText(server, "jobs/1");
    expect(await outcomeOf(await fetch(server.streamUrl("jobs/1")))).toEqual([503, "app_unavailable"]);
  });

  it("bounds how long a live response lasts", async () => {
    const app = await startApp(() => ({ ok: true, expiresAt: Date.now() + 1_500 }));
    const server = await start({ app: { url: app.url }, streams: { pollTimeoutMs: 3_600_000 } });
    await createText(server, "jobs/1");
    await (await fetch(server.streamUrl("jobs/1?offset=now&live=sse"))).text(); // or the test runs out of time
    expect((await fetch(server.streamUrl("jobs/1?offset=now&live=long-poll"))).status).toBe(204);
  });

  it("bounds how far back this caller may read, and nobody else", async () => {
    const app = await startApp(({ body }) => {
      const { value } = body["header"] as { value: string };
      return { ok: true, ...(value === "short" ? { replayWindowMs: 0 } : {}) };
    });
    const server = await start({ app: { url: app.url } });
    await createText(server, "jobs/1");
    const read = (token: string): Promise<Response> =>
      fetch(server.streamUrl("jobs/1"), { headers: { authorization: `Bearer ${token}` } });
    expect(await (await read("long")).text()).toBe("hello");
    expect(await (await read("short")).text()).toBe("");
  });

  it("asks once for the same at the same time", async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const app = await startApp(() => held.then(() => ({ ok: true })));
    const server = await start({ app: { url: app.url } });
    await createText(server, "jobs/1");
    const { hostname, port } = new URL(server.url);
    const sockets = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const socket = connect(Number(port), hostname);
        await once(socket, "connect");
        return socket;
      }),
    );
    for (const socket of sockets)
      socket.write(`GET /ds/jobs/1 HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
    await expect.poll(() => app.calls.length).toBe(1);
    release();
    for (const socket of sockets) {
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 200 OK/);
      socket.destroy();
    }
    expect(app.calls.length).toBe(1);
  });

  it.each([
    ["a raw stream", "jobs/1", "text/plain", "more"],
    ["a channel's", "chat", "application/json", '{"type":"a","data":1}'],
  ])(
    "is asked for again if it is taken back before the body has come, of %s",
    async (_, name, type, body) => {
      let isAllowed = true;
      const app = await startApp(() => ({ ok: isAllowed, subject: "u1" }));
      const channels = { chat: { transport: "ws", auth: { headerName: "x-key" } } };
      const server = await start({ app: { url: app.url }, channels });
      await createText(server, "jobs/1");
      const headers = { "content-type": type, "x-key": "k" };
      const slow = request(server.streamUrl(name), { method: "POST", headers });
      const answered = once(slow, "response") as Promise<[IncomingMessage]>;
      slow.write(body.slice(0, 3));
      await expect.poll(() => app.calls.length).toBe(1);
      isAllowed = false;
      const told = { method: "POST", headers: {}, body: '{"subject":"u1"}' };
      await server.internal("/_chanctl/disconnect", told);
      slow.end(body.slice(3));
      const [response] = await answered;
      expect(response.statusCode).toBe(403);
      expect(app.calls.length).toBe(2);
      expect(await (await server.asApp(name)).text()).toBe(name === "chat" ? "[]" : "hello");
    },
  );

  it("ends a live response when the app disconnects its subject", async () => {
    const app = await startApp(() => ({ ok: true, subject: "u1" }));
    const server = await start({ app: { url: app.url } });
    await createText(server, "jobs/1");
    const events = await fetch(server.streamUrl("jobs/1?offset=now&live=sse"));
    const body = JSON.stringify({ subject: "u1" });
    const closed = await server.internal("/_chanctl/disconnect", { method: "POST", headers: {}, body });
    expect(await closed.json()).toEqual({ closed: 1 });
    await events.text();
  });
});

describe("`authorizeStream` of the SDK", () => {
  it("says who may, and sees what it needs", async () => {
    const seen: StreamRequest[] = [];
    const channels = createChannels(
      {},
      {
        authorizeStream: (request) => {
          seen.push(request);
          return request.header?.value === "abc"
            ? allow({ subject: "u1" })
            : reject("sign in", { status: 401 });
        },
      },
    );
    await using front = await serveApp(channels.middleware);
    process.env["CHANCTL_TOKEN"] = "the-token-of-the-tests";
    const server = await start({ app: { url: front.url } });
    await createText(server, "jobs/1");
    const url = server.streamUrl("jobs/1");
    expect((await fetch(url, { headers: { authorization: "Bearer abc" } })).status).toBe(200);
    expect(await outcomeOf(await fetch(`${url}?token=other`))).toEqual([401, "unauthenticated"]);
    expect(
      seen.map(({ stream, operation, transport, header }) => [stream, operation, transport, header?.value]),
    ).toEqual([
      ["jobs/1", "read", "ds", "abc"],
      ["jobs/1", "read", "ds", "other"],
    ]);
  });

  it("is missed: an app without it allows nothing", async () => {
    await using front = await serveApp(createChannels({}).middleware);
    process.env["CHANCTL_TOKEN"] = "the-token-of-the-tests";
    const server = await start({ app: { url: front.url } });
    await createText(server, "jobs/1");
    const response = await fetch(server.streamUrl("jobs/1"));
    expect(await response.json()).toMatchObject({ status: 403, detail: "the app has no `authorizeStream`" });
  });
});

interface Front extends AsyncDisposable {
  readonly url: string;
}

async function serveApp(middleware: ReturnType<typeof createChannels>["middleware"]): Promise<Front> {
  const server = createServer((request, response) => {
    middleware(request, response, () => void response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      delete process.env["CHANCTL_TOKEN"];
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a token that has no claims of ours", () => {
  it("is as good as AnyCable's", async () => {
    const server = await start({
      streams: { publicStreams: true },
      jwt: { key: SECRET, algorithms: ["HS256"] },
    });
    await createText(server, "jobs/1");
    const token = await new SignJWT({ ext: '{"user":1}' })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(SECRET));
    expect((await fetch(server.streamUrl("jobs/1"), { headers: { "x-jid": token } })).status).toBe(200);
  });
});
