import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { jsonBody, startTestServer, toMessagesPath } from "../support/server.ts";
import { openSse, sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket, webSocketClient } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "message", data: 1 };

let guarded: GuardedServer;
let url: string;

beforeAll(async () => {
  guarded = await startGuardedServer({ limits: { maxConnectionsPerSubject: 3 } });
  url = `${guarded.server.url}/channels/guarded`;
});
afterAll(() => guarded[Symbol.asyncDispose]());

describe.each([sseClient, webSocketClient])("a subscriber over $name", ({ name, connect }) => {
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
