import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Tunnels } from "#src/app/tunnels.ts";
import { eventually } from "./support.ts";

/** An app of which another run can take over. */
function replaceable() {
  const listeners = new Set<(earlier: URL) => Promise<void>>();
  const app = {
    origin: new URL("http://localhost:1001"),
    onReplaced: (listener: (earlier: URL) => Promise<void>) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const replace = async (): Promise<void> => {
    const earlier = app.origin;
    app.origin = new URL("http://localhost:1002");
    await Promise.all([...listeners].map((listener) => listener(earlier)));
  };
  return { app, replace, listeners };
}

test("a WebSocket to a run that was replaced ends after a while, one to the new run stays", async () => {
  const { app, replace } = replaceable();
  const tunnels = new Tunnels(app, { leaveMs: 20 });
  const [old, fresh] = [new PassThrough(), new PassThrough()];
  tunnels.add(old);
  tunnels.join(old, app.origin);
  await replace(); // does not wait for it
  expect(old.destroyed).toBe(false);
  tunnels.add(fresh);
  tunnels.join(fresh, app.origin);
  await eventually(() => expect(old.destroyed).toBe(true));
  expect(fresh.destroyed).toBe(false);
  tunnels.close();
});

test("a WebSocket that an earlier run accepts late is sent to the new one", async () => {
  const { app, replace } = replaceable();
  const tunnels = new Tunnels(app);
  const socket = new PassThrough();
  tunnels.add(socket);
  const earlier = app.origin;
  await replace();
  expect(socket.destroyed).toBe(false);
  tunnels.join(socket, earlier);
  expect(socket.destroyed).toBe(true);
});

test("close() ends all, also those that wait to hear from the app, and may be called twice", () => {
  const { app, listeners } = replaceable();
  const tunnels = new Tunnels(app);
  const [waiting, joined] = [new PassThrough(), new PassThrough()];
  tunnels.add(waiting);
  tunnels.add(joined);
  tunnels.join(joined, app.origin);
  tunnels.close();
  tunnels.close();
  expect([waiting.destroyed, joined.destroyed]).toEqual([true, true]);
  expect(listeners.size).toBe(0);
});
