import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { allow, reject } from "#src/sdk/answers.ts";
import { createChannels } from "#src/sdk/channels.ts";
import type { Channels } from "#src/sdk/channels.ts";
import { defineChannel } from "#src/sdk/define-channel.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { Listener } from "../support/fixture-app.ts";

const TOKEN = "the-token-of-this-test";

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

/** What `onPublish` must not return, by the text of the message that makes it do so. */
const BAD_ANSWERS: Readonly<Record<string, unknown>> = {
  "no object": "text",
  null: null,
  "no message": { kind: "message" },
  "no data": { type: "message" },
  "a big integer": { type: "message", data: { count: 1n } },
  "a cycle": { type: "message", data: cycle },
};

/** What `verify` must not return, by the cookie that makes it do so, and what is said of it. */
const BAD_GRANTS: Readonly<Record<string, { readonly answer: unknown; readonly said: string; fix: string }>> =
  {
    nothing: {
      answer: undefined,
      said: '`verify` of the channel `chat` must return `allow({ subject: "…" })` or `reject("…")`, got nothing',
      fix: "return allow({ subject: user.id }) ",
    },
    null: { answer: null, said: 'or `reject("…")`, got `null`', fix: "return allow(" },
    object: { answer: { allowed: 1 }, said: "got an object with `allowed`", fix: "return allow(" },
    number: {
      answer: allow({ subject: 7 as never }),
      said: "the `subject` that `verify` of the channel `chat` returns must be a text that is not empty, got `7`",
      fix: "allow({ subject: String(user.id) })",
    },
    operation: {
      answer: allow({ operations: "subscribe" as never }),
      said: 'must be an array of texts, got `"subscribe"`',
      fix: 'allow({ operations: ["subscribe"] })',
    },
    date: {
      answer: allow({ subject: "ada", expiresAt: new Date() as never }),
      said: "the `expiresAt` that `verify` of the channel `chat` returns must be a number of ms since 1970, got an instance of `Date`",
      fix: "allow({ expiresAt: Date.now() + 60 * 60_000 })",
    },
    duration: {
      answer: allow({ replayWindowMs: "5m" as never }),
      said: 'must be a number of ms, got `"5m"`',
      fix: "allow({ replayWindowMs: 60_000 })",
    },
  };

const chat = defineChannel({
  transport: "ws",
  paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
  messages: { message: { type: "object", properties: { text: { type: "string" } }, required: ["text"] } },
  auth: { cookieName: "session" },
  verify({ params, cookie, header, operation }) {
    if (cookie === "throws") throw new Error("the session store is down");
    if (cookie !== undefined && cookie in BAD_GRANTS) return BAD_GRANTS[cookie]?.answer as never;
    if (cookie === undefined) return reject("sign in first", { status: 401 });
    return allow({
      subject: `${cookie}/${params.room}/${operation}/${header?.value ?? "-"}`,
      expiresAt: undefined,
    });
  },
  onPublish({ message, subject }) {
    if (message.data.text === "spam") return reject("no spam");
    if (message.data.text === "as is") return undefined;
    if (message.data.text in BAD_ANSWERS) return BAD_ANSWERS[message.data.text] as never;
    return { type: "message", data: { text: `${subject}: ${message.data.text}` } };
  },
});
const open = defineChannel({ public: true });
const silent = defineChannel({ auth: { cookieName: "session" } });

const AUTHORIZE = {
  version: 1,
  channel: "chat",
  params: { room: "lobby" },
  operation: "subscribe",
  transport: "ws",
};
const ON_PUBLISH = {
  version: 1,
  channel: "chat",
  params: { room: "lobby" },
  subject: "ada",
  transport: "ws",
};

/** The same behaviour is asked of each way to mount the SDK. */
const MOUNTS: Record<string, (channels: Channels) => Listener> = {
  "node middleware": (channels) => (request, response) => {
    channels.middleware(request, response, () => response.writeHead(204).end());
  },
  "node middleware below a path": (channels) => (request, response) => {
    const originalUrl = request.url ?? "";
    Object.assign(request, { originalUrl, url: originalUrl.replace("/channels", "") });
    channels.middleware(request, response, () => response.writeHead(204).end());
  },
  "node middleware after a JSON body parser": (channels) => async (request, response) => {
    Object.assign(request, { body: await readJson(request) });
    channels.middleware(request, response, () => response.writeHead(204).end());
  },
  "node middleware after a body parser that left the body alone": (channels) => (request, response) => {
    Object.assign(request, { body: {} });
    channels.middleware(request, response, () => response.writeHead(204).end());
  },
  fetch: (channels) => async (request, response) => {
    const { method = "GET", url = "/" } = request;
    const body = method === "POST" ? await buffer(request) : undefined;
    const headers = new Headers(request.headers as Record<string, string>);
    const answer = await channels.fetch(
      new Request(`http://app${url}`, { method, headers, ...(body && { body }) }),
    );
    response.writeHead(answer.status).end(await answer.text());
  },
};

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = (await buffer(request)).toString();
  return text === "" ? undefined : JSON.parse(text);
}

let consoleError: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.stubEnv("CHANCTL_TOKEN", TOKEN);
  consoleError = vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function loggedErrors(): string[] {
  return consoleError.mock.calls.map((args: unknown[]) => String(args[1]));
}

describe.each(Object.entries(MOUNTS))("%s", (_, mount) => {
  async function call(
    path: string,
    body: unknown,
    token = TOKEN,
  ): Promise<{ status: number; body: unknown }> {
    await using app = await startFixtureApp(mount(createChannels({ chat, open, silent })));
    const response = await fetch(`${app.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  function ask(text: string): Promise<{ body: unknown }> {
    return call("/channels/on-publish", { ...ON_PUBLISH, message: { type: "message", data: { text } } });
  }

  test("answers with what verify grants", async () => {
    const header = { scheme: "Bearer", value: "abc" };
    const { status, body } = await call("/channels/authorize", { ...AUTHORIZE, cookie: "ada", header });
    expect(status).toBe(200);
    expect(body).toEqual({ ok: true, subject: "ada/lobby/subscribe/abc" });
  });

  test("answers with why verify rejects", async () => {
    const { status, body } = await call("/channels/authorize", AUTHORIZE);
    expect(status).toBe(200);
    expect(body).toEqual({ ok: false, reason: "sign in first", status: 401 });
  });

  test("answers 500 and logs once when verify throws", async () => {
    const { status, body } = await call("/channels/authorize", { ...AUTHORIZE, cookie: "throws" });
    expect(status).toBe(500);
    expect(body).toBeUndefined();
    expect(consoleError).toHaveBeenCalledOnce();
  });

  test("allows anyone on a public channel, and nobody on another without verify", async () => {
    const onOpen = await call("/channels/authorize", { ...AUTHORIZE, channel: "open", params: {} });
    expect(onOpen.body).toEqual({ ok: true });
    const onSilent = await call("/channels/authorize", { ...AUTHORIZE, channel: "silent", params: {} });
    expect(onSilent.body).toMatchObject({ ok: false });
  });

  test("lets onPublish change, keep and reject a message", async () => {
    expect((await ask("hi")).body).toEqual({
      ok: true,
      message: { type: "message", data: { text: "ada: hi" } },
    });
    expect((await ask("as is")).body).toEqual({ ok: true });
    expect((await ask("spam")).body).toEqual({ ok: false, reason: "no spam", status: 403 });
  });

  test.each(Object.entries(BAD_GRANTS))(
    "never passes on an answer of verify that is none, and says what is wrong with it: %s",
    async (cookie, { said, fix }) => {
      expect(await call("/channels/authorize", { ...AUTHORIZE, cookie })).toEqual({ status: 500 });
      expect(loggedErrors()).toEqual([expect.stringContaining(`${said}\n  fix: ${fix}`)]);
    },
  );

  test.each(Object.keys(BAD_ANSWERS))("answers 500 when onPublish returns %s, and says so", async (text) => {
    expect(await ask(text)).toEqual({ status: 500 });
    expect(loggedErrors()).toEqual([
      expect.stringMatching(
        /`onPublish` of the channel `chat` (?:must return .*, got .|returns must be JSON: .).*\n {2}fix: ./,
      ),
    ]);
  });

  test("has nothing for whoever is not the broker", async () => {
    expect(await call("/channels/authorize", { ...AUTHORIZE, cookie: "ada" }, "guess")).toEqual({
      status: 404,
    });
    vi.stubEnv("CHANCTL_TOKEN", "");
    expect(await call("/channels/authorize", { ...AUTHORIZE, cookie: "ada" }, "")).toEqual({ status: 404 });
  });

  test("answers 404 for a channel that the app does not know, and logs nothing", async () => {
    const body = { ok: false, status: 404, reason: "the app does not know the channel `nope`" };
    const message = { type: "message", data: {} };
    expect(await call("/channels/authorize", { ...AUTHORIZE, channel: "nope" })).toEqual({
      status: 404,
      body,
    });
    expect(await call("/channels/on-publish", { ...ON_PUBLISH, channel: "nope", message })).toEqual({
      status: 404,
      body,
    });
    expect(consoleError).not.toHaveBeenCalled();
  });

  test("fails for a body that is no call", async () => {
    expect(await call("/channels/authorize", { ...AUTHORIZE, version: 2 })).toEqual({ status: 500 });
    expect(await call("/channels/authorize", "null")).toEqual({ status: 500 });
  });

  test("leaves every other path to the app", async () => {
    await using app = await startFixtureApp(mount(createChannels({ chat })));
    const { status } = await fetch(`${app.url}/channels`);
    expect([204, 404]).toContain(status);
    expect(consoleError).not.toHaveBeenCalled();
  });
});

test("leaves an answer alone that the app's own time-out has given", async () => {
  const channels = createChannels({ open });
  await using app = await startFixtureApp((request, response) => {
    channels.middleware(request, response, () => {});
    response.writeHead(504).end();
  });
  const response = await fetch(`${app.url}/channels/authorize`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ ...AUTHORIZE, channel: "open", params: {} }),
  });
  expect(response.status).toBe(504);
});

test("GET on a call's path has nothing to see", async () => {
  const channels = createChannels({ open });
  await using app = await startFixtureApp((request, response) => {
    channels.middleware(request, response, () => response.end());
  });
  const response = await fetch(`${app.url}/channels/authorize`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(response.status).toBe(404);
});

test("what defineChannel returns is a definition by its own keys", () => {
  expect(Object.keys(open)).toEqual(["public"]);
});
