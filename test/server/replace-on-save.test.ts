import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { never } from "../app/support.ts";
import { channelText } from "../support/channel-text.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const APP = fileURLToPath(new URL("./fixtures/allows-all.mjs", import.meta.url));
const toPublic = (version: number): string => `${channelText("{ public: true }")}// ${version}`;
/** As an app ends whose `loadChannels` meets a broken file. */
const APP_OF_ALL_FILES = fileURLToPath(new URL("./fixtures/needs-all-files.mjs", import.meta.url));
const BROKEN = "export default {";
const GUARDED = channelText('{ auth: { headerName: "authorization" } }');

/** Saves a channel's file, and waits until the registry has it. */
async function save(server: TestServer, name: string, text: string): Promise<void> {
  let isSaved = false;
  const stop = server.running.registry.onFileChange((saved) => (isSaved ||= saved.name === name));
  server.define(name, text);
  await expect.poll(() => isSaved, PATIENT).toBe(true);
  stop();
}

function replacedFor({ logged }: TestServer): unknown[] {
  return logged.filter(({ event }) => event === "app-restart").map(({ fields }) => fields?.["channel"]);
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
  await save(server, "open", toPublic(2));
  expect(replacedFor(server)).toEqual([]);
  expect(app?.pid).toBe(pid);

  await save(server, "guarded", GUARDED);
  expect(replacedFor(server)).toEqual(["guarded"]);
  await expect.poll(() => app?.pid, PATIENT).not.toBe(pid);

  // `open` too, now that there is one that asks: its file may be what the guarded one imports.
  await save(server, "open", toPublic(3));
  expect(replacedFor(server)).toEqual(["guarded", "open"]);
});

it("tries an app again that is down for a broken file, once that is gone, and leaves one that is up", async () => {
  await using server = await startTestServer({
    channels: { guarded: GUARDED, other: GUARDED, broken: BROKEN },
    app: { command: `"${process.execPath}" "${APP_OF_ALL_FILES}"`, port: 0 },
    watch: true,
  });
  const { registry } = server.running;
  const remove = async (name: string): Promise<void> => {
    rmSync(join(server.root, "channels", `${name}.ts`));
    await expect.poll(() => registry.entries().some((entry) => entry.name === name), PATIENT).toBe(false);
  };
  const hasExited = (): boolean => server.logged.some(({ event }) => event === "app-exit");
  await expect.poll(hasExited, PATIENT).toBe(true);

  await remove("broken");
  expect(replacedFor(server)).toEqual(["broken"]);
  await server.running.whenAppReady(never);

  await remove("other");
  expect(replacedFor(server)).toEqual(["broken"]);
});
