import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signJwt } from "#src/auth/sign-jwt.ts";
import { signStream } from "#src/auth/signed-stream.ts";
import { startTestApp } from "../../support/app-answers.ts";
import type { TestApp } from "../../support/app-answers.ts";
import { PUBLIC_ROOMS } from "../../support/server.ts";
import { createText, outcomeOf, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const SECRET = "s3cret";
const JWT_SECRET = "jwt secret";
const TEXT = { "content-type": "text/plain" };
const JSON_TYPE = { "content-type": "application/json" };

/** Everything that can be done with a stream; `isRead`: with a signed token, too. */
const OPERATIONS = [
  { what: "read", isRead: true, query: "", init: {} },
  { what: "long-poll", isRead: true, query: "?offset=now&live=long-poll", init: {} },
  { what: "follow", isRead: true, query: "?offset=-1&live=sse", init: {} },
  { what: "head", isRead: true, query: "", init: { method: "HEAD" } },
  { what: "create", isRead: false, query: "", init: { method: "PUT", headers: TEXT } },
  { what: "append", isRead: false, query: "", init: { method: "POST", headers: TEXT, body: "x" } },
  { what: "close", isRead: false, query: "", init: { method: "POST", headers: { "stream-closed": "true" } } },
  { what: "delete", isRead: false, query: "", init: { method: "DELETE" } },
] as const;

const ALL = [false, true] as const;
/** Every combination of the settings, and the internal listener of the one that allows least. */
const MODES = [
  ...ALL.flatMap((publicStreams) =>
    ALL.flatMap((publicWrites) =>
      ALL.flatMap((skipsAuthentication) =>
        ALL.flatMap((jwt) =>
          ALL.map((app) => ({ publicStreams, publicWrites, skipsAuthentication, jwt, app, internal: false })),
        ),
      ),
    ),
  ),
  {
    publicStreams: false,
    publicWrites: false,
    skipsAuthentication: false,
    jwt: false,
    app: false,
    internal: true,
  },
];

let app: TestApp;
let jwt: string;
beforeAll(async () => {
  app = await startTestApp(() => ({ ok: true }));
  const streams = [{ path: "**", operations: ["create", "read", "append", "close", "delete"] as const }];
  jwt = await signJwt({ subject: "u1", streams, expiresAt: Date.now() + 3_600_000 }, JWT_SECRET);
});
afterAll(() => app[Symbol.asyncDispose]());

describe.each(MODES)("a signed stream token with %j", (mode) => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await startStreamServer({
      streams: mode,
      streamsSecret: SECRET,
      channels: { chat: PUBLIC_ROOMS },
      ...(mode.app ? { app: { url: app.url } } : {}),
      ...(mode.jwt ? { jwt: { key: JWT_SECRET, algorithms: ["HS256"] } } : {}),
    });
    await createText(server, "jobs/1");
    await createText(server, "jobs/2");
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const ask = (url: string, { token, init }: { token: string; init: RequestInit }): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("x-signed", token);
    if (mode.jwt) headers.set("x-jid", jwt);
    if (mode.internal) return server.asApp(url, { ...init, headers });
    return fetch(server.streamUrl(url), { ...init, headers });
  };

  it.each(OPERATIONS)("of another stream is refused to $what", async ({ what, query, init }) => {
    const response = await ask(`jobs/2${query}`, { token: signStream("jobs/1", SECRET), init });
    expect(await outcomeOf(response)).toEqual(what === "head" ? [403] : [403, "signed_invalid"]);
  });

  it.each(OPERATIONS)(
    "of this stream allows to read, and only that: $what",
    async ({ isRead, query, init }) => {
      const response = await ask(`jobs/1${query}`, { token: signStream("jobs/1", SECRET), init });
      const [status, code] = await outcomeOf(response);
      expect(isRead ? status : [status, code]).toEqual(
        isRead ? (query.includes("poll") ? 204 : 200) : [403, "signed_read_only"],
      );
    },
  );

  it.each([
    ["with another secret", () => signStream("jobs/1", "other")],
    ["with an empty secret", () => signStream("jobs/1", "")],
    ["with no MAC", () => "ImpvYnMvMSI="],
    ["of nothing", () => ""],
  ])("made %s is refused", async (_, make) => {
    const response = await ask("jobs/1", { token: make(), init: {} });
    expect(await outcomeOf(response)).toEqual([403, "signed_invalid"]);
  });

  it("of a channel's stream is good for exactly that, and not to publish", async () => {
    const token = signStream("chat/room=a", SECRET);
    expect(await outcomeOf(await ask("chat/room=a", { token, init: {} }))).toEqual([200]);
    expect(await outcomeOf(await ask("chat/room=b", { token, init: {} }))).toEqual([403, "signed_invalid"]);
    expect(await outcomeOf(await ask("chat", { token, init: {} }))).toEqual([403, "signed_invalid"]);
    const init = { method: "POST", headers: JSON_TYPE, body: '{"type":"a","data":1}' };
    expect(await outcomeOf(await ask("chat/room=a", { token, init }))).toEqual([403, "signed_read_only"]);
  });
});

describe("a signed stream token", () => {
  let server: StreamServer;
  const params = {
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "string", default: "x" } },
  };
  beforeAll(async () => {
    server = await startStreamServer({
      streamsSecret: SECRET,
      channels: { two: { auth: { headerName: "authorization" }, paramsSchema: params } },
    });
    for (const name of ["jobs/1", "чат/ü", "a+b/c%2Fd", "~>>>???"])
      await createText(server, encodePath(name));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    [
      "AnyCable's own bytes",
      "чат/ü",
      "ItGH0LDRgi/DvCI=--83e339af76927b6c31694e7d83335ea35e753b1baa23aec00bad278839d6b41c",
    ],
  ])("of %s opens the stream", async (_, name, token) => {
    const headers = { "x-signed": token };
    expect((await fetch(server.streamUrl(encodePath(name)), { headers })).status).toBe(200);
  });

  it("may name the stream in any spelling of its path", async () => {
    for (const spelling of ["jobs/1", "jobs/%31", "%6Aobs/1"]) {
      const headers = { "x-signed": signStream(spelling, SECRET) };
      expect((await fetch(server.streamUrl("jobs/1"), { headers })).status).toBe(200);
      expect((await fetch(server.streamUrl("j%6Fbs/1"), { headers })).status).toBe(200);
    }
  });

  it.each(["two/a=1/b=x", "two/b=x/a=1", "two/a=01/b=x", "two/a=1"])(
    "of a channel is good for %s",
    async (name) => {
      const headers = { "x-signed": signStream("two/a=1", SECRET) };
      const expected = name.includes("01") ? 400 : 200;
      expect((await fetch(server.streamUrl(name), { headers })).status).toBe(expected);
    },
  );

  it.each(["/jobs/1", "jobs/1/", "jobs//1", "jobs/./1", "x/../jobs/1", "", "two/c=1", "jobs/%"])(
    "that names `%s` names nothing",
    async (name) => {
      const headers = { "x-signed": signStream(name, SECRET) };
      expect(await outcomeOf(await fetch(server.streamUrl("jobs/1"), { headers }))).toEqual([
        403,
        "signed_invalid",
      ]);
    },
  );

  it("in the query may have lost its pluses", async () => {
    const token = signStream("~>>>???", SECRET);
    expect(token).toContain("+");
    const url = server.streamUrl(encodePath("~>>>???"));
    expect((await fetch(`${url}?signed=${token}`)).status).toBe(200);
    expect((await fetch(`${url}?signed=${encodeURIComponent(token)}`)).status).toBe(200);
  });

  it("is refused if any other that is sent with it is wrong", async () => {
    const [good, bad] = [signStream("jobs/1", SECRET), signStream("jobs/2", SECRET)];
    const url = server.streamUrl("jobs/1");
    const asks: [string, Record<string, string>][] = [
      [`${url}?signed=${bad}`, { "x-signed": good }],
      [`${url}?signed=${good}`, { "x-signed": bad }],
      [`${url}?signed=${good}&signed=${bad}`, {}],
      [`${url}?signed=`, { "x-signed": good }],
    ];
    for (const [target, headers] of asks)
      expect(await outcomeOf(await fetch(target, { headers }))).toEqual([403, "signed_invalid"]);
  });

  it("is refused by a server without a secret, whatever it was made with", async () => {
    await using plain = await startStreamServer({ streams: { publicStreams: true, publicWrites: true } });
    await createText(plain, "jobs/1");
    for (const secret of ["", "undefined", SECRET]) {
      const headers = { "x-signed": signStream("jobs/1", secret) };
      expect(await outcomeOf(await fetch(plain.streamUrl("jobs/1"), { headers }))).toEqual([
        403,
        "signed_invalid",
      ]);
    }
  });
});

function encodePath(name: string): string {
  return name.includes("%") ? name : name.split("/").map(encodeURIComponent).join("/");
}
