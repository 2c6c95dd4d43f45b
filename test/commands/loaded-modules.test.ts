import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, afterAll, describe, expect, it } from "vitest";

import { runCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

/** Packages that cost a command milliseconds before it does anything. */
const HEAVY = [
  "esbuild",
  "better-sqlite3",
  "undici",
  "ws",
  "ajv",
  "chokidar",
  "node-forge",
  "mkcert",
  "jose",
  "@clack/prompts",
  "uqr",
];

// A hook of the module loader sees what is imported; `require` of packages within packages does not matter here.
const HOOK = `
import { appendFileSync } from "node:fs";
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  appendFileSync(process.env.LOADED_MODULES, resolved.url + "\\n");
  return resolved;
}`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chanctl-loaded-"));
  await writeFile(join(folder, "hook.mjs"), HOOK);
  const hookUrl = pathToFileURL(join(folder, "hook.mjs")).href;
  const register = `import { register } from "node:module"; register(${JSON.stringify(hookUrl)});`;
  await writeFile(join(folder, "register.mjs"), register);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Loaded {
  /** Those of `HEAVY` that were loaded. */
  readonly heavy: readonly string[];
  /** Our own files, from `dist`. */
  readonly own: readonly string[];
  readonly code: number | null;
}

/** Runs a command to its end and tells what it, and not its children, loaded. */
async function loadedBy(args: readonly string[], cwd = folder): Promise<Loaded> {
  const list = join(folder, `${args.join("-").replaceAll(/\W/g, "_")}.txt`);
  await writeFile(list, "");
  const env = {
    NODE_OPTIONS: `--import=${pathToFileURL(join(folder, "register.mjs")).href}`,
    LOADED_MODULES: list,
    CHANCTL_HOME: join(folder, "home"),
  };
  const { code } = await runCli(args, { cwd, env });
  const urls = (await readFile(list, "utf8")).split("\n");
  return {
    code,
    heavy: HEAVY.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`))),
    own: [...new Set(urls.flatMap((url) => /\/dist\/(.+\.js)$/.exec(url)?.[1] ?? []))],
  };
}

describe("of the heavy packages", () => {
  it("--version and an unknown option load none, and of ours the least", async () => {
    const { code, heavy, own } = await loadedBy(["--version"]);
    expect({ code, heavy }).toEqual({ code: 0, heavy: [] });
    expect(own.filter((file) => /^(server|broker|registry|certs|transports|app)\//.test(file))).toEqual([]);
    expect((await loadedBy(["--versoin"])).heavy).toEqual([]);
  });

  it.each([["--help"], ["dev --help"], ["tail --help"], ["channel list --help"], ["doctor --help"]])(
    "%s loads none",
    async (line) => {
      expect(await loadedBy(line.split(" "))).toMatchObject({ code: 0, heavy: [] });
    },
  );

  it("tail and publish load none beside a running server", async () => {
    await using project = await makeProject(CHANNELS);
    await using _server = await startDev(project);
    const publish = ["publish", "chat", "--room", "lobby", "--type", "note", "1"];
    expect(await loadedBy(publish, project.root)).toMatchObject({ code: 0, heavy: [] });
    const tail = ["tail", "chat", "--room", "lobby", "--since", "start", "--no-follow"];
    expect(await loadedBy(tail, project.root)).toMatchObject({ code: 0, heavy: [] });
  });

  it("channel list loads no more than what checks and bundles definitions", async () => {
    await using project = await makeProject(CHANNELS);
    // esbuild is for its child and for a config; NODE_OPTIONS shows the child's too.
    const { code, heavy } = await loadedBy(["channel", "list"], project.root);
    expect(code).toBe(0);
    expect(heavy).toContain("ajv"); // so the hook sees what is loaded
    expect(heavy.filter((name) => !["ajv", "esbuild"].includes(name))).toEqual([]);
  });
});
