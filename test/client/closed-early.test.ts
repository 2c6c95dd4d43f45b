import { expect, it, onTestFinished, vi } from "vitest";
import type { WebSocket } from "ws";
import { connect } from "#src/client.ts";
import { shutGate } from "../support/gate.ts";

/** Opens something that the client must close; it must not even be made. */
function spy() {
  return vi.fn(function (this: object) {
    Object.assign(this, { close() {}, postMessage() {}, send() {} });
  });
}

/** Connects, closes while `token` is waited for, and lets it come then. */
async function closeBeforeToken(webSocket: typeof WebSocket): Promise<void> {
  const asked = shutGate();
  const given = shutGate();
  const connection = connect("chat", {
    url: "http://127.0.0.1:9",
    webSocket,
    token: async () => {
      asked.open();
      await given.opened;
      return "token";
    },
  });
  await asked.opened;
  connection.close();
  given.open();
  // All that follows a token is microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  expect(connection.status).toBe("closed");
}

it("opens no connection once it is closed", async () => {
  const webSocket = spy();
  await closeBeforeToken(webSocket as unknown as typeof WebSocket);
  expect(webSocket).not.toHaveBeenCalled();
});

it("joins no tabs once it is closed", async () => {
  const tabChannel = spy();
  vi.stubGlobal("document", { addEventListener() {} });
  vi.stubGlobal("navigator", { locks: { request: () => Promise.resolve() } });
  vi.stubGlobal("BroadcastChannel", tabChannel);
  onTestFinished(() => void vi.unstubAllGlobals());
  const webSocket = spy();
  await closeBeforeToken(webSocket as unknown as typeof WebSocket);
  expect(tabChannel).not.toHaveBeenCalled();
  expect(webSocket).not.toHaveBeenCalled();
});
