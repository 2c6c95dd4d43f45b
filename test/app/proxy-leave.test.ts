import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { App } from "#src/app/app.ts";
import { remoteApp } from "#src/app/remote-app.ts";
import { shutGate } from "../support/gate.ts";
import { FRONTS, startApp, startFront } from "./fronts.ts";

const LONG = { graceMs: 60_000 };
const NOW = { graceMs: 0 };

describe.each(FRONTS)("over %s", (kind) => {
  test("an answer under way goes on for as long as it may, and no longer", async () => {
    let go: () => void = () => {};
    const { origin } = await startApp((_, response) => {
      response.write("one");
      go = () => response.write("two");
    });
    const front = await startFront(kind, origin);
    const { body } = await front.ask();
    await once(body, "data");
    front.proxy.leave(LONG);
    go();
    expect(String((await once(body, "data"))[0])).toBe("two");
    front.proxy.leave(NOW);
    await expect(once(body, "end")).rejects.toThrow();
  });

  test("a request that the app has not answered is broken off", async () => {
    const asked = shutGate();
    const { origin } = await startApp(() => asked.open());
    const front = await startFront(kind, origin);
    const answer = front.ask();
    answer.catch(() => {});
    await asked.opened;
    front.proxy.leave(NOW);
    await expect(answer).rejects.toThrow();
  });

  test("a request that waits for the app is broken off", async () => {
    const held = shutGate();
    const waitUntilReady = (): Promise<void> => (held.open(), shutGate().opened);
    const app: App = { ...remoteApp("http://localhost:1"), state: "starting", waitUntilReady };
    const front = await startFront(kind, app);
    const answer = front.ask();
    answer.catch(() => {});
    await held.opened;
    front.proxy.leave(NOW);
    await expect(answer).rejects.toThrow();
  });
});

test("a WebSocket is not waited for", async () => {
  const { origin, server } = await startApp((_, response) => response.end());
  new WebSocketServer({ server }).on("connection", (socket) => socket.send("hello"));
  const front = await startFront("http/1.1", origin);
  const socket = new WebSocket(front.origin.replace("http", "ws"));
  await once(socket, "message");
  front.proxy.leave(LONG);
  await once(socket, "close");
});
