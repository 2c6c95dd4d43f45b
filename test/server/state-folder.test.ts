import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { writeRunFile } from "#src/platform/run-file.ts";
import { loadToken } from "#src/server/token-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { makeProject, PUBLIC_ROOMS, startTestServer } from "../support/server.ts";

function project(): string {
  const root = makeProject();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

it.each(["internal-port", "run.json"])(
  "a `%s` that cannot be written is an error that names it and what to do; nothing stays open",
  async (name) => {
    const root = project();
    const path = join(root, ".chanctl", name);
    mkdirSync(path, { recursive: true });
    await expect(startTestServer({ root })).rejects.toMatchObject({
      name: "ChanctlError",
      code: "store_invalid",
      message: expect.stringContaining(path) as unknown,
      hint: expect.stringContaining(`rm -r ${path}`) as unknown,
    });
    rmSync(path, { recursive: true });
    await using server = await startTestServer({ root });
    expect((await fetch(`${server.url}/channels/nope`)).status).toBe(404);
  },
);

it("a file in the place of `.chanctl` is an error that names it and what to do", async () => {
  const root = project();
  const folder = join(root, ".chanctl");
  writeFileSync(folder, "");
  const expected = {
    name: "ChanctlError",
    code: "store_invalid",
    message: expect.stringContaining(folder) as unknown,
    hint: `move ${folder} away: it must be a folder`,
  };
  await expect(startTestServer({ root })).rejects.toMatchObject(expected);
  await expect(loadToken(folder)).rejects.toMatchObject(expected);
  const run = { url: "", internalUrl: "", token: "", pid: 1, version: "" };
  await expect(writeRunFile(folder, run)).rejects.toMatchObject(expected);
});

it.skipIf(process.platform === "win32")(
  "keeps the store for its owner's eyes, one of an earlier version too",
  async () => {
    const root = project();
    const pathOf = (name: string): string => join(root, ".chanctl", name);
    mkdirSync(pathOf("."), { recursive: true });
    writeFileSync(pathOf("lock.sqlite"), "", { mode: 0o644 });
    await using server = await startTestServer({ root, channels: { chat: PUBLIC_ROOMS } });
    expect((await fetch(`${server.url}/channels/nope`)).status).toBe(404);
    const names = [
      "channels.sqlite",
      "channels.sqlite-wal",
      "channels.sqlite-shm",
      "lock.sqlite",
      "internal-port",
      "run.json",
    ];
    const modes = names.map((name) => [name, (statSync(pathOf(name)).mode & 0o777).toString(8)]);
    expect(modes).toEqual(names.map((name) => [name, "600"]));
  },
);

it("keeps its state out of git by itself, and leaves a `.gitignore` that is there", async () => {
  const root = project();
  const path = join(root, ".chanctl", ".gitignore");
  await (await startTestServer({ root })).running.close();
  expect(readFileSync(path, "utf8")).toBe("*\n");
  writeFileSync(path, "# mine\n");
  await (await startTestServer({ root })).running.close();
  expect(readFileSync(path, "utf8")).toBe("# mine\n");
});

it("a token that cannot be read is an error that names it", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "token"));
  await expect(loadToken(folder)).rejects.toMatchObject({
    code: "store_invalid",
    message: expect.stringContaining(join(folder, "token")) as unknown,
  });
});

it("makes an empty token anew and keeps one that is there", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "token"), "\n");
  const made = await loadToken(folder);
  expect(made).toMatch(/^[\w-]{43}$/);
  expect(await loadToken(folder)).toBe(made);
});

it("starts where the record of an earlier app cannot be removed, and says so", async () => {
  const root = project();
  mkdirSync(join(root, ".chanctl", "app.pid"), { recursive: true });
  await using server = await startTestServer({ root });
  expect(server.logged.map(({ event }) => event)).toContain("app-record-failed");
});
