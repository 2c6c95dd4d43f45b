import { expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import { bearer } from "../support/guarded-server.ts";
import { startTestServer } from "../support/server.ts";

it("warns of an app's own 404 at once, then once a second with the count", async () => {
  await using app = await startTestApp((_, response) => void response.writeHead(404).end());
  const server = await startTestServer({
    channels: { chat: { auth: { headerName: "authorization" } } },
    app: { url: app.url },
  });
  const startedAt = performance.now();
  const calls = 100;
  for (let index = 0; index < calls; index += 1) {
    const response = await fetch(`${server.url}/channels/chat`, { headers: bearer(`u${index}`) });
    expect(response.status).toBe(404);
    await response.body?.cancel();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await server[Symbol.asyncDispose](); // tells what is held
  const lines = server.logged.filter(({ event }) => event === "authorize-not-found");
  expect(lines[0]).toMatchObject({ level: "warn", fields: { count: 1 } });
  expect(lines.length).toBeLessThanOrEqual(2 + seconds);
  expect(lines.reduce((sum, { fields }) => sum + Number(fields?.["count"]), 0)).toBe(calls);
});

it("tells once, with the fix, of a channel that the app does not know, and again after it knew it", async () => {
  let knows = false;
  await using app = await startTestApp((_, response) => {
    const refused = { ok: false, status: 404, reason: "the app does not know the channel `chat`" };
    response.writeHead(knows ? 200 : 404).end(JSON.stringify(knows ? { ok: true } : refused));
  });
  await using server = await startTestServer({
    channels: { chat: { auth: { headerName: "authorization" } } },
    app: { url: app.url },
  });
  const lines = (): unknown[] => server.logged.filter(({ event }) => event === "channel-unknown-to-app");
  let callers = 0;
  const connect = async (): Promise<number> => {
    const response = await fetch(`${server.url}/channels/chat`, { headers: bearer(`u${(callers += 1)}`) });
    await response.body?.cancel();
    return response.status;
  };
  expect([await connect(), await connect()]).toEqual([404, 404]);
  expect(lines()).toMatchObject([
    { level: "warn", fields: { channel: "chat", hint: expect.stringContaining("createChannels") } },
  ]);
  expect(server.logged.filter(({ event }) => event === "authorize-not-found")).toEqual([]);
  knows = true;
  expect(await connect()).toBe(200);
  knows = false;
  expect(await connect()).toBe(404);
  expect(lines()).toHaveLength(2);
});
