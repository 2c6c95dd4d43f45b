import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { loadChannels } from "#src/sdk/load-channels.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const PUBLIC = `import { defineChannel } from "chanctl";\nexport default defineChannel({ public: true });\n`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "chanctl-load-"));
  await write("package.json", `{ "type": "module" }`);
  await mkdir(join(root, "node_modules"));
  await symlink(REPOSITORY, join(root, "node_modules", "chanctl"), "junction");
  vi.stubEnv("CHANCTL_TOKEN", "t");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** The folder of channels, with one in it. */
async function writeFolder(): Promise<string> {
  await write("channels/chat.js", PUBLIC);
  return join(root, "channels");
}

async function runApp(...nodeOptions: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, "app.js"], { cwd: root });
  return stdout.trim();
}

/** What Node prints of the error that ends the app; its own lines are before and after it. */
async function readEnd(): Promise<string[]> {
  const { stderr } = await runApp().then(
    () => ({ stderr: "" }),
    (error: { readonly stderr: string }) => error,
  );
  const [, told = ""] = stderr.split("\n\n");
  return told.replaceAll(/(?:file:\/\/)?\/\S*chanctl-load-[^/]*/g, "<root>").split("\n");
}

async function isKnown(
  channels: Awaited<ReturnType<typeof loadChannels>>,
  channel: string,
): Promise<boolean> {
  const call = { version: 1, channel, params: {}, operation: "subscribe", transport: "sse" };
  const response = await channels.fetch(
    new Request("http://app/channels/authorize", {
      method: "POST",
      headers: { authorization: "Bearer t" },
      body: JSON.stringify(call),
    }),
  );
  return response.status === 200;
}

test("names each channel after its file, folders included", async () => {
  await write("channels/chat.js", PUBLIC);
  await write("channels/game/moves.mjs", PUBLIC);
  await write("channels/_shared.js", `throw new Error("not a channel");`);
  await write("channels/game/.draft.js", `throw new Error("not a channel");`);
  await write("channels/types.d.ts", "");
  await write("channels/chat.test.js", `throw new Error("not a channel");`);
  await write("channels/notes.md", "");
  const channels = await loadChannels(join(root, "channels"));
  expect(await isKnown(channels, "chat")).toBe(true);
  expect(await isKnown(channels, "game/moves")).toBe(true);
});

test("takes the folder as a file URL", async () => {
  await write("channels/chat.js", PUBLIC);
  expect(await isKnown(await loadChannels(pathToFileURL(join(root, "channels"))), "chat")).toBe(true);
});

test("knows a channel that was added after the start", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await write("channels/chat.js", PUBLIC);
  const channels = await loadChannels(join(root, "channels"));
  expect(await isKnown(channels, "news")).toBe(false);
  await write("channels/news.js", PUBLIC);
  expect(await isKnown(channels, "news")).toBe(true);
});

test("answers for a channel that was added beside a broken file", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const channels = await loadChannels(await writeFolder());
  await write("channels/a-broken.js", "export default {");
  await write("channels/z-broken.js", "export default {");
  await write("channels/z-broken.mjs", PUBLIC);
  await write("channels/news.js", PUBLIC);
  expect(await isKnown(channels, "news")).toBe(true);
  expect(await isKnown(channels, "a-broken")).toBe(false);
  expect(await isKnown(channels, "z-broken")).toBe(false);
});

test("names the file that cannot be imported, and why", async () => {
  await write("channels/chat.js", `throw new Error("the database is down");`);
  await expect(loadChannels(join(root, "channels"))).rejects.toThrow(
    /chat\.js cannot be imported: the database is down/,
  );
});

test("ends an app that does not catch it with few lines, of which all are the project's", async () => {
  await write(
    "channels/chat.js",
    `const connect = () => {\n  throw new Error("no database");\n};\nconnect();`,
  );
  await write("app.js", `import { loadChannels } from "chanctl";\nawait loadChannels("./channels");`);
  expect(await readEnd()).toEqual([
    "ChanctlError: channels/chat.js cannot be imported: no database",
    "  fix: chanctl channel list     shows the line",
    "    at connect (<root>/channels/chat.js:2:9)",
    "    at <root>/channels/chat.js:4:1",
    "    at async <root>/app.js:2:1",
  ]);
});

test("shows all lines of a fix below each other", async () => {
  await write("channels/chat.js", "export default { public: true };");
  await write("app.js", `import { loadChannels } from "chanctl";\nawait loadChannels("./channels");`);
  expect(await readEnd()).toEqual([
    expect.stringMatching(/^ChanctlError: channels\/chat\.js: the default export must be /),
    "  fix: export default defineChannel({ … })     with import { defineChannel } from 'chanctl'",
    "       mv channels/chat.js channels/_chat.js     if it is no channel",
    "    at <root>/channels/chat.js",
  ]);
});

test("names both files of a channel that is defined twice", async () => {
  await write("channels/chat.js", PUBLIC);
  await write("channels/chat.mjs", PUBLIC);
  await expect(loadChannels(join(root, "channels"))).rejects.toThrow(/chat\.js and .*chat\.mjs/);
});

test("says what makes or finds the folder when there is none", async () => {
  const hint = expect.stringMatching(/^chanctl channel add chat .*\nloadChannels\(new URL\(/) as unknown;
  await expect(loadChannels(join(root, "channels"))).rejects.toMatchObject({
    code: "definition_invalid",
    message: `the folder of channels is not there: ${join(root, "channels")}`,
    hint,
  });
});

test("says that the folder is a file, and which folder that is in", async () => {
  await write("chat.js", PUBLIC);
  await expect(loadChannels(join(root, "chat.js"))).rejects.toMatchObject({
    message: `the folder of channels is a file: ${join(root, "chat.js")}`,
    hint: expect.stringContaining(`loadChannels(${JSON.stringify(root)})`),
  });
});

test.each([
  [undefined, "nothing"],
  ["", '`""`'],
  [{ authorizeStream: () => {} }, "an object with `authorizeStream`"],
  [new URL("https://localhost/channels"), "`https://localhost/channels`"],
])("says that %o is no folder, and what to write", async (folder, came) => {
  await expect(loadChannels(folder as never)).rejects.toMatchObject({
    code: "definition_invalid",
    message: `\`loadChannels\` must be given the folder of channels, a path or a file URL, got ${came}`,
    hint: 'await loadChannels("./channels")',
  });
});

test("shows the line that calls it without a folder", async () => {
  await write("app.js", `import { loadChannels } from "chanctl";\n\nawait loadChannels();`);
  expect(await readEnd()).toEqual([
    "ChanctlError: `loadChannels` must be given the folder of channels, a path or a file URL, got nothing",
    '  fix: await loadChannels("./channels")',
    "    at <root>/app.js:3:7",
  ]);
});

test("names the file whose name cannot be a channel's", async () => {
  await write("channels/Chat.js", PUBLIC);
  await expect(loadChannels(join(root, "channels"))).rejects.toMatchObject({
    message: expect.stringMatching(/channels\/Chat\.js: the channel's name `Chat` must be lower-case/),
    hint: expect.stringContaining("rename the file"),
  });
});

test.each([
  ["a file without its extension", "./limits", 'import … from "./limits.js" '],
  ["a folder", "./_lib", 'import … from "./limits/index.js" '],
  ["a package that is missing", "not-there", "npm install "],
])("says what to write where Node finds no import: %s", async (_, specifier, fix) => {
  await write("channels/_lib/index.js", "");
  await write("channels/chat.js", `import "${specifier}";\n${PUBLIC}`);
  await write("app.js", `import { loadChannels } from "chanctl";\nawait loadChannels("./channels");`);
  expect((await readEnd())[1]).toContain(`  fix: ${fix}`);
});

test("says how to start the app where Node does not run TypeScript by itself", async () => {
  await write("channels/chat.ts", PUBLIC);
  await write(
    "app.js",
    `import { loadChannels } from "chanctl";
     await loadChannels("./channels").then(() => console.log("loaded"), (error) => console.log(error.hint));`,
  );
  const plain = await runApp();
  if (plain !== "loaded") expect(plain).toContain("node --import tsx");
  expect(await runApp("--import", import.meta.resolve("tsx"))).toBe("loaded");
});
