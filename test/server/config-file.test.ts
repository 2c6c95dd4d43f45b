import { chmod, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { findProject, loadProject } from "#src/server/config-file.ts";

import { makeProject } from "../commands/temp-project.ts";

it("finds the config from a folder below it, up to the package root", async () => {
  await using project = await makeProject({ "chanctl.config.json": "{}", "src/pages/x.txt": "" });
  const found = await findProject(join(project.root, "src/pages"));
  expect(found).toEqual({ root: project.root, configPath: join(project.root, "chanctl.config.json") });
});

it("does not look beyond the package root", async () => {
  await using project = await makeProject({ "chanctl.config.json": "{}", "packages/web/package.json": "{}" });
  const web = join(project.root, "packages/web");
  expect(await findProject(web)).toEqual({ root: web });
});

it("works where there is no package.json at all", async () => {
  expect(await findProject("/")).toEqual({ root: "/" });
});

it.each(["ts", "js", "mjs"])("loads chanctl.config.%s, its imports with it", async (extension) => {
  await using project = await makeProject({
    "ports.js": "export const port = 5001;",
    [`chanctl.config.${extension}`]:
      'import { defineConfig } from "chanctl/config";\nimport { port } from "./ports.js";\nexport default defineConfig({ port });',
  });
  const { config } = await loadProject(project.root);
  expect(config?.value).toEqual({ port: 5001 });
});

it("loads chanctl.config.json", async () => {
  await using project = await makeProject({ "chanctl.config.json": '{"port": 5002}' });
  const { config } = await loadProject(project.root);
  expect(config?.value).toMatchObject({ port: 5002 });
});

it("leaves no bundle behind", async () => {
  await using project = await makeProject({ "chanctl.config.ts": "export default {};" });
  await loadProject(project.root);
  await mkdir(join(project.root, ".chanctl/definitions"), { recursive: true });
  expect(await readdir(join(project.root, ".chanctl/definitions"))).toEqual([]);
});

it("shows the place of a syntax error in a code frame", async () => {
  await using project = await makeProject({ "chanctl.config.ts": "export default {\n  port: 1 2,\n};" });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(/^chanctl\.config\.ts:2:11: [^]*port: 1 2,/),
  });
});

it("shows the place of what is no JSON", async () => {
  await using project = await makeProject({ "chanctl.config.json": '{\n  "port": 1\n  "host": "a"\n}' });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringContaining("chanctl.config.json:3:"),
  });
});

it("shows where a config threw while it ran", async () => {
  const source = 'const url: string = "";\nif (url === "") throw new Error("no DATABASE_URL");';
  await using project = await makeProject({ "chanctl.config.ts": source });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(
      /^chanctl\.config\.ts:2:23: Error: no DATABASE_URL\n\n[^]*\n {4}\| {23}\^$/,
    ) as unknown,
    hint: "correct line 2 of chanctl.config.ts and save it",
  });
});

it("refuses a config without a default export", async () => {
  await using project = await makeProject({ "chanctl.config.ts": "export const port = 1;" });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(
      /^chanctl\.config\.ts:1:1: the config must be the default export, /,
    ) as unknown,
    hint: "export default defineConfig({ … })",
  });
});

it.each([
  ["waits for what never comes", "await new Promise(() => {});", "ended before it had said the settings"],
  ["ends its process", "process.exit(0);", "ended before it had said the settings"],
  [
    "waits, and has something to do",
    "setInterval(() => {}, 1e3); await new Promise(() => {});",
    "did not end within 500 ms",
  ],
  ["loops", "for (;;);", "did not end within 500 ms"],
])("gives up one that %s", async (_, text, problem) => {
  await using project = await makeProject({ "chanctl.config.mjs": `${text} export default {};` });
  // Those that end have the time of a busy machine.
  const options = problem.startsWith("ended") ? {} : { timeoutMs: 500 };
  await expect(loadProject(project.root, options)).rejects.toMatchObject({
    code: "config_invalid",
    message: `chanctl.config.mjs: importing it ${problem}`,
    hint: expect.any(String) as unknown,
  });
});

it.each([
  ["export default async () => ({ port: 1 });", "1:1: the config must be an object, got a function"],
  [
    "export default {\n  app: { command: () => 1 },\n};",
    "2:10: `app.command` must be plain data, got a function",
  ],
])("says where a config is no data: %s", async (text, problem) => {
  await using project = await makeProject({ "chanctl.config.mjs": text });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    message: expect.stringContaining(`chanctl.config.mjs:${problem}\n\n`) as unknown,
    hint: expect.any(String) as unknown,
  });
});

it("says what to do about a folder in its place", async () => {
  await using project = await makeProject({ "chanctl.config.ts/x.txt": "" });
  const path = join(project.root, "chanctl.config.ts");
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: `${path} must be a file, got a folder`,
    hint: expect.stringContaining(`mv "${path}"`) as unknown,
  });
});

it.skipIf(process.platform === "win32")("says what to do about one that may not be read", async () => {
  await using project = await makeProject({ "chanctl.config.json": "{}" });
  const path = join(project.root, "chanctl.config.json");
  await chmod(project.root, 0o755);
  await chmod(path, 0);
  using _user = asNobody();
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: `${path} cannot be read (EACCES)`,
    hint: expect.stringContaining(`chmod u+r "${path}"`) as unknown,
  });
});

/** Root may read what nobody may. */
function asNobody(): Disposable {
  if (process.getuid?.() !== 0) return { [Symbol.dispose]: () => {} };
  process.seteuid?.(65_534);
  return { [Symbol.dispose]: () => process.seteuid?.(0) };
}

it("gives up what is cancelled", async () => {
  await using project = await makeProject({ "chanctl.config.mjs": "for (;;); export default {};" });
  const cancel = new AbortController();
  const loading = loadProject(project.root, { signal: cancel.signal });
  cancel.abort(new Error("enough"));
  await expect(loading).rejects.toThrow("enough");
});

it("refuses two config files in one folder", async () => {
  await using project = await makeProject({ "chanctl.config.ts": "", "chanctl.config.json": "{}" });
  await expect(loadProject(project.root)).rejects.toMatchObject({
    code: "config_invalid",
    message: "there must be one config file, got chanctl.config.ts and chanctl.config.json",
  });
});
