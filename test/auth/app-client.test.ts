import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { AppClient } from "#src/auth/app-client.ts";
import { pickFreePort } from "#src/platform/free-port.ts";

/** Listens at one address, and keeps what it is shown. */
async function listen(
  host: string,
  port: number,
): Promise<{ server: Server; shown: (string | undefined)[] }> {
  const shown: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    shown.push(request.headers.authorization);
    response.end('{"ok":true}');
  }).listen(port, host);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return { server, shown };
}

interface AskedState {
  readonly address: string | undefined;
  readonly state: "starting" | "ready" | "crashed" | "stopped";
  readonly isOutdated?: boolean;
}

function askAt(port: number, asked: AskedState): Promise<unknown> {
  const origin = new URL(`http://localhost:${port}`);
  const app = { origin, isOutdated: false, onReplaced: () => () => {}, ...asked };
  const client = new AppClient({ app, token: "secret", retryMs: 100 });
  onTestFinished(() => client.close());
  return client.post("/channels/authorize", "{}", { since: performance.now() });
}

test("an app that has been seen at one address is asked there, and nobody else at its port", async () => {
  const port = await pickFreePort();
  const squatter = await listen("::1", port);
  await expect(askAt(port, { address: "127.0.0.1", state: "ready" })).rejects.toMatchObject({
    code: "app_unavailable",
  });
  expect(squatter.shown).toEqual([]);
});

test("an app that is not up is not asked: whoever listens at its port is not it", async () => {
  const { server, shown } = await listen("127.0.0.1", 0);
  const { port } = server.address() as AddressInfo;
  for (const state of ["starting", "crashed", "stopped"] as const) {
    await expect(askAt(port, { address: undefined, state })).rejects.toMatchObject({
      code: "app_unavailable",
    });
  }
  expect(shown).toEqual([]);
});

test.each(["127.0.0.1", "::1"])("an app that nobody has looked for is found at %s", async (host) => {
  const port = await pickFreePort();
  const { shown } = await listen(host, port);
  await expect(askAt(port, { address: undefined, state: "ready" })).resolves.toMatchObject({ status: 200 });
  expect(shown).toEqual(["Bearer secret"]);
});

test("an app whose code was saved is not asked until its successor runs", async () => {
  const { server, shown } = await listen("127.0.0.1", 0);
  const { port } = server.address() as AddressInfo;
  const asked = askAt(port, { address: undefined, state: "ready", isOutdated: true });
  await expect(asked).rejects.toMatchObject({
    code: "app_unavailable",
    message: "the app is being replaced after a save",
  });
  expect(shown).toEqual([]);
});
