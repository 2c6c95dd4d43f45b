import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { PATIENT } from "../support/patient.ts";
import type { RunningCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import type { StartedServer } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

interface Said {
  readonly event: string;
  readonly message?: string;
  readonly hint?: string;
}

/** What was said of the config so far. */
function reloadEvents({ lines }: RunningCli): readonly Said[] {
  return lines.map((line) => JSON.parse(line) as Said).filter(({ event }) => event === "config-reload");
}

function reloads(cli: RunningCli): readonly string[] {
  return reloadEvents(cli).map(({ message = "" }) => message);
}

/** Waits until something was said of the config that matches, and nothing else before it. */
async function untilSaid({ cli }: StartedServer, count: number): Promise<string> {
  await cli.until((running) => reloads(running).length >= count);
  return reloads(cli)[count - 1] ?? "";
}

/** In one step each: a machine that is busy may look at half of a file that is written in place. */
async function save({ root }: TempProject, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(root, "saved.tmp"), text);
    await rename(join(root, "saved.tmp"), join(root, path));
  }
}

async function statusOf(url: string, bytes: number): Promise<number> {
  const answer = await fetch(`${url}/channels/chat/messages?room=lobby`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "message", data: { text: "x".repeat(bytes) } }),
  });
  return answer.status;
}

/** Waits until the server would hear of what comes into a folder; where that cannot be seen, it does not wait. */
async function untilWatched({ ready }: StartedServer, folder: string): Promise<void> {
  if (process.platform !== "linux") return;
  const { ino } = await stat(folder);
  const infos = `/proc/${ready.pid}/fdinfo`;
  const watched = async (): Promise<string> => {
    const files = (await readdir(infos)).map((name) => readFile(join(infos, name), "utf8").catch(() => ""));
    return (await Promise.all(files)).join("\n");
  };
  await expect.poll(watched, PATIENT).toContain(` ino:${ino.toString(16)} `);
}

const config = (text: string): Record<string, string> => ({ "chanctl.config.ts": `export default ${text};` });

describe("a config that is saved while `dev` runs", () => {
  it("is applied where that can be done, and the rest is named in one line", async () => {
    await using project = await makeProject({ ...CHANNELS, ...config("{}") });
    await using server = await startDev(project);
    expect(await statusOf(server.ready.url, 2_000)).toBe(200);
    await save(
      project,
      config(`{ port: 1, host: "::1", channels: "./live", limits: { maxMessageBytes: "1KiB" } }`),
    );
    // The port was given by a flag, which still comes first.
    expect(await untilSaid(server, 1)).toBe(
      "chanctl.config.ts: applied limits.maxMessageBytes; restart chanctl for channels, host",
    );
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
    await save(project, config("{}"));
    expect(await untilSaid(server, 2)).toBe("chanctl.config.ts: applied limits.maxMessageBytes");
    expect(await statusOf(server.ready.url, 2_000)).toBe(200);
  });

  it.each(["for (;;);", "setInterval(() => {}, 1e3); await new Promise(() => {});"])(
    "does not hold up the next save, nor the end, where it hangs: %s",
    async (hang) => {
      await using project = await makeProject({ ...CHANNELS, ...config("{}") });
      await using server = await startDev(project);
      await save(project, { "chanctl.config.ts": `${hang} export default {};` });
      // The config has been read again once its bundle is there.
      const bundles = join(project.root, ".chanctl/definitions");
      await expect.poll(async () => (await readdir(bundles)).join(), PATIENT).toContain("chanctl.config-");
      await save(project, config(`{ limits: { maxMessageBytes: "1KiB" } }`));
      expect(await untilSaid(server, 1)).toBe("chanctl.config.ts: applied limits.maxMessageBytes");
      await save(project, { "chanctl.config.ts": `${hang} export default { port: 2 };` });
      await expect.poll(async () => (await readdir(bundles)).join(), PATIENT).toContain("chanctl.config-");
      server.cli.child.kill("SIGTERM");
      expect((await server.cli.ended()).code).toBe(143);
    },
  );

  it("lets in the pages of an origin that it adds, and no longer those of one that it takes away", async () => {
    await using project = await makeProject({ ...CHANNELS, ...config("{}") });
    await using server = await startDev(project);
    const allowed = async (): Promise<string | null> => {
      const headers = { origin: "https://app.example" };
      const url = `${server.ready.url}/channels/chat/messages?room=lobby`;
      return (await fetch(url, { method: "OPTIONS", headers })).headers.get("access-control-allow-origin");
    };
    expect(await allowed()).toBeNull();
    await save(project, config(`{ allowedOrigins: ["https://app.example"] }`));
    await untilSaid(server, 1);
    expect(await allowed()).toBe("https://app.example");
    await save(project, config("{}"));
    await untilSaid(server, 2);
    expect(await allowed()).toBeNull();
  });

  it("stays as it was while what is saved is broken, which is shown with its place", async () => {
    const good = config(`{ limits: { maxMessageBytes: "1KiB" } }`);
    await using project = await makeProject({ ...CHANNELS, ...good });
    await using server = await startDev(project);
    await save(project, config("{ limits: { maxMessageBytes: } }"));
    expect(await untilSaid(server, 1)).toMatch(
      /^chanctl\.config\.ts:1:45: Unexpected "}"[^]*last good config stays/,
    );
    await save(project, config(`{\n  limts: {} }`));
    expect(await untilSaid(server, 2)).toMatch(/^chanctl\.config\.ts:\d+:\d+: unknown key `limts`\n\n/);
    expect(reloadEvents(server.cli)[1]?.hint).toBe("did you mean `limits`?");
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
    await save(project, good);
    expect(await untilSaid(server, 3)).toBe("chanctl.config.ts: good again, nothing has changed");
  });

  it("is followed through the files that it imports, one that is made later too", async () => {
    await using project = await makeProject({
      ...CHANNELS,
      "chanctl.config.ts":
        'import { maxMessageBytes } from "./lib/limits.ts";\nexport default { limits: { maxMessageBytes } };',
      "lib/limits.ts": "export const maxMessageBytes = 5_000;",
    });
    await using server = await startDev(project);
    await save(project, { "lib/limits.ts": "export const maxMessageBytes = 100;" });
    expect(await untilSaid(server, 1)).toBe("chanctl.config.ts: applied limits.maxMessageBytes");
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
    await rename(join(project.root, "lib"), join(project.root, "gone"));
    expect(await untilSaid(server, 2)).toContain('Could not resolve "./lib/limits.ts"');
    await mkdir(join(project.root, "lib"));
    await save(project, { "lib/limits.ts": "export const maxMessageBytes = 6_000;" });
    expect(await untilSaid(server, 3)).toBe("chanctl.config.ts: applied limits.maxMessageBytes");
    expect(await statusOf(server.ready.url, 2_000)).toBe(200);
  });

  it("is read again once the packages that it lacks are installed", async () => {
    await using project = await makeProject({ ...CHANNELS, "package.json": "{}", ...config("{}") });
    await using server = await startDev(project);
    const install = async (name: string, source: string): Promise<void> => {
      await project.write({ [`node_modules/${name}/n.js`]: source });
      const manifest = { name, type: "module", exports: { "./n": "./n.js" } };
      await project.write({ [`node_modules/${name}/package.json`]: JSON.stringify(manifest) });
    };
    const isSaid = (text: string) => (cli: RunningCli) => reloads(cli).some((line) => line.includes(text));
    await save(project, {
      "chanctl.config.ts":
        'import { maxMessageBytes } from "@some/package/n";\nexport default { limits: { maxMessageBytes } };',
    });
    expect(await untilSaid(server, 1)).toContain("Cannot find package '@some/package'");
    expect(reloadEvents(server.cli)[0]?.hint).toMatch(/^npm install @some\/package {5}/);
    await mkdir(join(project.root, "node_modules/@some")); // long before what is in it, as on a slow disk
    await untilWatched(server, join(project.root, "node_modules/@some"));
    await install("@some/package", 'export { n as maxMessageBytes } from "its-own/n";');
    await server.cli.until(isSaid("'its-own'"));
    await install("its-own", "export const n = 1000;");
    await project.write({ "node_modules/.package-lock.json": "{}" }); // as npm does at the end
    await server.cli.until(isSaid("applied limits.maxMessageBytes"));
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
  });

  it("stays in force when it is deleted, and is read again when it is back", async () => {
    const small = config(`{ limits: { maxMessageBytes: "1KiB" } }`);
    await using project = await makeProject({ ...CHANNELS, ...small });
    await using server = await startDev(project);
    await rm(join(project.root, "chanctl.config.ts"));
    expect(await untilSaid(server, 1)).toContain("the config is gone");
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
    await save(project, config("{}"));
    expect(await untilSaid(server, 2)).toBe("chanctl.config.ts: applied limits.maxMessageBytes");
    expect(await statusOf(server.ready.url, 2_000)).toBe(200);
  });

  it("is found where there was none, and a second one beside it is an error", async () => {
    await using project = await makeProject(CHANNELS);
    await using server = await startDev(project);
    await save(project, { "chanctl.config.json": '{ "limits": { "maxMessageBytes": 1000 } }' });
    expect(await untilSaid(server, 1)).toBe("chanctl.config.json: applied limits.maxMessageBytes");
    await save(project, config("{}"));
    expect(await untilSaid(server, 2)).toMatch(/^there must be one config file, got/);
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
  });

  it("may be written in place", async () => {
    await using project = await makeProject({ ...CHANNELS, ...config("{}") });
    await using server = await startDev(project);
    await project.write(config("{ limits: { maxMessageBytes: 100 } }"));
    await server.cli.until((cli) =>
      reloads(cli).some((message) => message.endsWith("applied limits.maxMessageBytes")),
    );
    expect(await statusOf(server.ready.url, 2_000)).toBe(413);
  });
});

it("a variable still comes first when the config is saved", async () => {
  await using project = await makeProject({ ...CHANNELS, ...config("{}") });
  await using server = await startDev(project, { env: { CHANCTL_LIMITS_MAX_MESSAGE_BYTES: "5000" } });
  await save(project, config(`{ limits: { maxMessageBytes: 100, maxBatchMessages: 7 } }`));
  expect(await untilSaid(server, 1)).toBe("chanctl.config.ts: applied limits.maxBatchMessages");
  expect(await statusOf(server.ready.url, 2_000)).toBe(200);
});
