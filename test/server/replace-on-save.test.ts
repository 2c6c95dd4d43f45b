import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { never } from "../app/support.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const APP = fileURLToPath(new URL("./fixtures/allows-all.mjs", import.meta.url));
const toPublic = (version: number): string => `export default { public: true }; // ${version}`;
const GUARDED = 'export default { auth: { headerName: "authorization" } };';

/** Saves a channel's file, and waits until the registry has it. */
async function save(server: TestServer, name: string, text: string): Promise<void> {
  let isSaved = false;
  const stop = server.running.registry.onSaved((saved) => (isSaved ||= saved.name === name));
  server.define(name, text);
  await expect.poll(() => isSaved, PATIENT).toBe(true);
  stop();
}

it("keeps the app while nothing asks it, and replaces it once a saved channel may", async () => {
  await using server = await startTestServer({
    channels: { open: toPublic(1) },
    app: { command: `"${process.execPath}" "${APP}"`, port: 0 },
    watch: true,
  });
  await server.running.whenAppReady(never);
  const { app } = server.running;
  const pid = app?.pid;
  const replacedFor = (): unknown[] =>
    server.logged.filter(({ event }) => event === "app-restart").map(({ fields }) => fields?.["channel"]);

  await save(server, "open", toPublic(2));
  expect(replacedFor()).toEqual([]);
  expect(app?.pid).toBe(pid);

  await save(server, "guarded", GUARDED);
  expect(replacedFor()).toEqual(["guarded"]);
  await expect.poll(() => app?.pid, PATIENT).not.toBe(pid);

  // `open` too, now that there is one that asks: its file may be what the guarded one imports.
  await save(server, "open", toPublic(3));
  expect(replacedFor()).toEqual(["guarded", "open"]);
});
