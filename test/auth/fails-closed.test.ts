import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { jsonBody, toMessagesPath } from "../support/server.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

let guarded: GuardedServer;

beforeAll(async () => {
  guarded = await startGuardedServer();
});
afterAll(() => guarded[Symbol.asyncDispose]());

const YES = '{"ok":true,"subject":"admin"}';

/** Answers with a status and a text that says yes, where anyone reads it. */
function status(code: number, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => void response.writeHead(code, headers).end(YES);
}

function text(body: string) {
  return (response: ServerResponse): void => void response.end(body);
}

const NO_ANSWERS: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ["500", status(500)],
  ["503 until the end", status(503)],
  ["400", status(400)],
  ["201", status(201)],
  ["204", (response) => void response.writeHead(204).end()],
  ["a redirect", status(302, { location: "/elsewhere" })],
  ["a permanent redirect", status(308, { location: "/elsewhere" })],
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
  ["an answer that is huge", text(`{"ok":true,"padding":"${"x".repeat(100_000)}"}`)],
  [
    "an answer that is cut off",
    (response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write(YES, () => response.destroy());
    },
  ],
  ["a connection that is dropped", (response) => void response.destroy()],
  ["an answer that never comes", () => {}],
  ["an answer that never ends", (response) => void response.write(YES)],
];

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
  it.concurrent.each(NO_ANSWERS)(
    "is not let in by %s, and not told that it was rejected",
    async (_, answer) => {
      const token = guarded.tokenFor((_, response) => answer(response));
      const connecting = connect(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) });
      await expect(connecting).rejects.toMatchObject({
        number: { SSE: 503, WebSocket: 4503 }[name],
        code: "app_unavailable",
      });
    },
  );
});

describe("a client's POST", () => {
  it.concurrent.each(NO_ANSWERS)("is not taken by %s, and may come again", async (_, answer) => {
    const token = guarded.tokenFor((_, response) => answer(response));
    const response = await fetch(
      guarded.server.url + toMessagesPath("guarded"),
      jsonBody({ type: "m", data: 1 }, bearer(token)),
    );
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
  });
});

it("follows no redirect, so that nobody else is asked and shown the internal token", async () => {
  await using elsewhere = await startTestApp(() => ({ ok: true }));
  const token = guarded.tokenFor((_, response) => status(307, { location: elsewhere.url })(response));
  await expect(
    sseClient.connect(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) }),
  ).rejects.toMatchObject({ number: 503 });
  expect(elsewhere.calls).toEqual([]);
});

it("asks once where the answer is final, and again where the app may be on its way", async () => {
  const once = guarded.tokenFor((_, response) => status(500)(response));
  const again = guarded.tokenFor((_, response) => status(503)(response));
  for (const token of [once, again]) {
    await sseClient
      .connect(`${guarded.server.url}/channels/guarded`, { headers: bearer(token) })
      .catch(() => {});
  }
  expect(guarded.callsAbout(once)).toHaveLength(1);
  expect(guarded.callsAbout(again).length).toBeGreaterThan(1);
});
