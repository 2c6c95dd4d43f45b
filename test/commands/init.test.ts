import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { requirePrograms } from "../support/requires.ts";
import { runCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const TOKEN = "the-token-of-this-test";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "chanctl-init-"));
});
afterEach(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

function read(path: string): Promise<string> {
  return readFile(join(root, path), "utf8");
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await read(path)) as Record<string, unknown>;
}

async function exists(path: string): Promise<boolean> {
  return access(join(root, path)).then(
    () => true,
    () => false,
  );
}

/** Every file with its text, to see that nothing changed. */
async function snapshot(): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(path, "utf8")])),
  );
}

/** Runs `chanctl init` there, as somebody whose npm has not started it. */
function init(...args: string[]): Promise<CliResult> {
  return runCli(["init", "--no-install", ...args], { cwd: root, env: { npm_config_user_agent: "" } });
}

/** Makes `chanctl` and `tsx` resolvable, as an install would. */
async function linkPackages(): Promise<void> {
  await mkdir(join(root, "node_modules", "@types"), { recursive: true });
  const link = (from: string, to: string): Promise<void> =>
    symlink(from, join(root, "node_modules", to), "junction");
  await link(REPOSITORY, "chanctl");
  await link(join(REPOSITORY, "node_modules", "tsx"), "tsx");
  await link(join(REPOSITORY, "node_modules", "@types", "node"), "@types/node");
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

describe("in an empty folder", () => {
  test("writes a chat that type-checks", async () => {
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toContain("npm run dev");
    expect(await read(".gitignore")).toBe("node_modules/\n.chanctl/\n");
    await linkPackages();
    const tsc = join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
    const { stdout: problems } = await promisify(execFile)(process.execPath, [tsc, "-p", root], {
      cwd: root,
    });
    expect(problems).toBe("");
  });

  test("names the package after the folder and starts dev and the app from its scripts", async () => {
    await runCli(["init", "My Chat!", "--no-install"], { cwd: root });
    const { name, type, scripts, dependencies } = await readJson("My Chat!/package.json");
    expect({ name, type, scripts }).toEqual({
      name: "my-chat",
      type: "module",
      scripts: { dev: "chanctl dev", start: "node --import tsx server.ts" },
    });
    expect(Object.keys(dependencies as object)).toEqual(["chanctl", "tsx"]);
  });

  test("keeps what an install has put there", async () => {
    await write({
      "package.json": json({ type: "commonjs", dependencies: { chanctl: "file:chanctl-0.1.0.tgz" } }),
      "package-lock.json": "{}",
      "chanctl-0.1.0.tgz": "",
      "README.md": "# Mine\n",
      ".gitignore": "dist",
    });
    expect((await init()).code).toBe(0);
    const { type, dependencies } = await readJson("package.json");
    expect(type).toBe("module");
    expect(dependencies).toMatchObject({ chanctl: "file:chanctl-0.1.0.tgz", tsx: expect.any(String) });
    expect(await read("README.md")).toBe("# Mine\n");
    expect(await read(".gitignore")).toBe("dist\nnode_modules/\n.chanctl/\n");
    expect(await exists("server.ts")).toBe(true);
  });

  test("says what to write where vite alone serves the page", async () => {
    const manifest = json({ scripts: { dev: "vite" }, devDependencies: { vite: "8" } });
    await write({ "package.json": manifest, "index.html": "" });
    const { stdout } = await init();
    expect(stdout).toContain("public: true,");
    expect(stdout).not.toContain("createServer");
    expect(stdout).not.toContain("findUser");
    await write({ "server.js": "" });
    expect((await init()).stdout).toContain("createServer");
  });

  test("changes nothing when run again", async () => {
    await init();
    const before = await snapshot();
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/create|add to|replace/);
    expect(await snapshot()).toEqual(before);
  });

  test("shows what differs and writes nothing over somebody's work", async () => {
    await init();
    await write({ "channels/chat.ts": (await read("channels/chat.ts")).replace('"ws"', '"sse"') });
    await rm(join(root, "session.ts"));
    await write({ "session.ts": "// mine\n" });
    await rm(join(root, ".gitignore"));
    await write({ ".gitignore": "" });
    const before = await snapshot();
    const { code, stderr } = await init();
    expect(code).toBe(1);
    expect(stderr).toContain('-   transport: "sse"');
    expect(stderr).toContain('+   transport: "ws"');
    expect(stderr).toContain("session.ts");
    expect(stderr).toContain("chanctl init --force");
    expect(await snapshot()).toEqual(before);
  });

  test("replaces what differs with --force", async () => {
    await init();
    const original = await read("channels/chat.ts");
    await write({ "channels/chat.ts": "// mine\n" });
    expect((await init("--force")).code).toBe(0);
    expect(await read("channels/chat.ts")).toBe(original);
  });

  test("writes nothing where one of its files cannot be placed", async () => {
    await write({ "public/app.js/oops": "a folder where a file goes" });
    const before = await snapshot();
    const { code, stderr } = await init("--template", "chat");
    expect(code).toBe(1);
    expect(stderr).toContain("public/app.js must be a file");
    expect(await snapshot()).toEqual(before);
  });

  test("installs what the chat imports with the package manager, and says so", async () => {
    const bin = await mkdtemp(join(tmpdir(), "chanctl-bin-"));
    await writeFile(join(bin, "pnpm"), `#!/bin/sh\necho "ran pnpm $*" > "$PWD/installed"\n`, { mode: 0o755 });
    await write({ "pnpm-lock.yaml": "" });
    const { code, stderr } = await runCli(["init"], {
      cwd: root,
      env: { PATH: `${bin}:${process.env["PATH"]}` },
    });
    await rm(bin, { recursive: true });
    expect(code).toBe(0);
    expect(stderr).toContain("$ pnpm install     for chanctl and tsx");
    expect(await read("installed")).toBe("ran pnpm install\n");
  });

  test("says how to go on when the install fails", async () => {
    const bin = await mkdtemp(join(tmpdir(), "chanctl-bin-"));
    await writeFile(join(bin, "npm"), `#!/bin/sh\necho "no network" >&2\nexit 7\n`, { mode: 0o755 });
    const { code, stderr } = await runCli(["init"], {
      cwd: root,
      env: { PATH: `${bin}:${process.env["PATH"]}` },
    });
    await rm(bin, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain("no network");
    expect(stderr).toContain("`npm install` ended with 7");
    expect(stderr).toContain("&& npm install");
  });
});

describe("in an existing project", () => {
  test("adds a config, a channel and its entries, and touches no code", async () => {
    await write({
      "package.json": `{\n\t"name": "shop",\n\t"type": "module",\n\t"scripts": { "start": "node server.js" },\n\t"dependencies": { "express": "5" }\n}\n`,
      "server.js": "// the app\n",
      ".gitignore": "/.chanctl\n",
    });
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(await read("server.js")).toBe("// the app\n");
    expect(await read(".gitignore")).toBe("/.chanctl\n");
    expect(await read("chanctl.config.js")).toContain('command: "npm run start"');
    expect(await read("channels/chat.js")).toContain("defineChannel");
    expect(await read("package.json")).toMatch(/^\{\n\t"name"/);
    expect((await readJson("package.json"))["scripts"]).toEqual({
      start: "node server.js",
      dev: "chanctl dev",
    });
    expect(stdout).toContain("app.use(channels.middleware);");
  });

  test("leaves the project's own dev script and starts the app with it", async () => {
    await write({
      "package.json": json({ scripts: { dev: "nodemon index.js" }, dependencies: { express: "5" } }),
      "yarn.lock": "",
    });
    const { stdout } = await init();
    expect((await readJson("package.json"))["scripts"]).toEqual({
      dev: "nodemon index.js",
      chanctl: "chanctl dev",
    });
    expect(await read("chanctl.config.mjs")).toContain('command: "yarn run dev"');
    expect(stdout).toContain("yarn run chanctl");
  });

  test("changes nothing when run again", async () => {
    await write({ "package.json": json({ dependencies: { fastify: "5" } }), "index.js": "" });
    await init();
    const before = await snapshot();
    expect((await init()).code).toBe(0);
    expect(await snapshot()).toEqual(before);
  });

  test("keeps a config of another kind", async () => {
    await write({ "package.json": json({ dependencies: { hono: "4" } }), "chanctl.config.json": "{}" });
    expect((await init()).code).toBe(0);
    expect(await exists("chanctl.config.mjs")).toBe(false);
  });

  test("makes no template beside an app that it would end", async () => {
    await write({ "package.json": json({ scripts: { start: "node server.js" } }), "server.js": "require" });
    const before = await snapshot();
    const { code, stderr } = await init("--template", "chat");
    expect(code).toBe(2);
    expect(stderr).toContain("this folder has an app of CommonJS modules, which would no longer start\n");
    expect(stderr).toContain("fix: chanctl init     adds chanctl to the app that is here\n");
    expect(await snapshot()).toEqual(before);
  });

  test("keeps a config and a channel of another kind in place of the template's", async () => {
    await write({ "package.json": json({ type: "module" }), "index.js": "// mine\n" });
    await init();
    const [config, channel] = [await read("chanctl.config.js"), await read("channels/chat.js")];
    const { code, stdout } = await init("--template", "chat");
    expect(code).toBe(0);
    expect(stdout).toMatch(/= keep +chanctl\.config\.js +in place of chanctl\.config\.ts\n/);
    expect(stdout).toMatch(/= keep +channels\/chat\.js +in place of channels\/chat\.ts\n/);
    expect(await exists("chanctl.config.ts")).toBe(false);
    expect(await exists("channels/chat.ts")).toBe(false);
    expect(await read("chanctl.config.js")).toBe(config);
    expect(await read("channels/chat.js")).toBe(channel);
  });

  test.each([{ hono: "4" }, { next: "15" }])(
    "keeps a channel that is JSON, in a project of %j",
    async (app) => {
      await write({ "package.json": json({ dependencies: app }), "tsconfig.json": "{}" });
      await write({ "channels/chat.json": '{"transport":"sse"}' });
      const { code, stdout } = await init();
      expect(code).toBe(0);
      expect(stdout).toMatch(/= keep +channels\/chat\.json +in place of channels\/chat\.ts\n/);
      expect(stdout).toContain("answer POST /channels/authorize");
      expect(stdout).not.toContain('channels/chat.js"');
      expect(await readdir(join(root, "channels"))).toEqual(["chat.json"]);
    },
  );

  test.each([
    {
      files: ["chanctl.config.js", "chanctl.config.json"],
      message: "there must be one config file, got chanctl.config.js and chanctl.config.json",
    },
    {
      files: ["channels/chat.js", "channels/chat.json"],
      message: "there must be one file of the channel `chat`, got channels/chat.js and channels/chat.json",
    },
  ])("refuses a project that has $files", async ({ files, message }) => {
    await write({ "package.json": json({ dependencies: { hono: "4" } }) });
    for (const file of files) await write({ [file]: "{}" });
    const before = await snapshot();
    const { code, stderr } = await init();
    expect(code).toBe(3);
    const [first, second] = files;
    expect(stderr).toBe(
      `error: ${message}\n  fix: rm ${join(root, second ?? "")}     if ${first} is the one that counts\n`,
    );
    expect(await snapshot()).toEqual(before);
  });

  test("writes Next's routes as files", async () => {
    await write({
      "package.json": json({ scripts: { dev: "next dev" }, dependencies: { next: "15" } }),
      "tsconfig.json": "{}",
      "src/app/page.tsx": "",
    });
    expect((await init()).code).toBe(0);
    expect(await read("src/app/channels/[call]/route.ts")).toContain('"../../../../channels/_channels"');
    expect(await read("channels/_channels.ts")).toContain("createChannels({ chat })");
    expect(await exists("channels/chat.ts")).toBe(true);
  });

  test("asks which framework it is, and where nobody can answer exits with 4", async () => {
    await write({ "package.json": json({ dependencies: { next: "15", fastify: "5" } }) });
    const before = await snapshot();
    const { code, stderr } = await init();
    expect(code).toBe(4);
    expect(stderr).toContain("Next and Fastify");
    expect(await snapshot()).toEqual(before);
    expect((await init("--yes")).code).toBe(0);
    expect(await exists("app/channels/[call]/route.js")).toBe(true);
  });

  test("refuses a package.json that is none", async () => {
    await write({ "package.json": "{", "index.js": "" });
    expect(await init()).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /^error: package\.json:1:2: Expected [^]*\n {2}fix: correct line 1 of package\.json and save it\n$/,
      ),
    });
  });

  // The printed lines are put into an app as they are; it must then answer the broker.
  test.each([
    {
      modules: "esm",
      packageJson: { type: "module" },
      app: "server.js",
      head: `import { createServer } from "node:http";`,
    },
    {
      modules: "CommonJS",
      packageJson: {},
      app: "server.js",
      head: `const { createServer } = require("node:http");`,
    },
  ])("prints lines that mount the SDK in a plain Node app ($modules)", async ({ packageJson, app, head }) => {
    await write({ "package.json": json(packageJson), [app]: "" });
    const { stdout } = await init();
    const lines = stdout.split("\n").filter((line) => /chanctl"|channels\b.*[;]$/.test(line));
    const mounted = lines.join("\n").replace(/(createServer\(.*\));/, "const server = $1;");
    await write({
      [app]: `${head}
${mounted}
function yourListener(req, res) { res.end("the app"); }
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`,
    });
    await linkPackages();
    const child = spawn(process.execPath, [app], {
      cwd: root,
      env: { ...process.env, CHANCTL_TOKEN: TOKEN },
    });
    try {
      child.stderr.pipe(process.stderr);
      const [port] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
      const url = `http://127.0.0.1:${port.trim()}`;
      expect(await (await fetch(url)).text()).toBe("the app");
      const answer = await fetch(`${url}/channels/authorize`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body: json({
          version: 1,
          channel: "chat",
          params: { room: "a" },
          operation: "subscribe",
          transport: "ws",
        }),
      });
      expect(await answer.json()).toMatchObject({ ok: false, reason: "sign in first" });
    } finally {
      child.kill();
      await once(child, "exit");
    }
  });
});

describe("in a project of another language", () => {
  test.each([
    { title: "Python", files: ["pyproject.toml", "app.py"], command: "python3 -u app.py" },
    { title: "Python", files: ["requirements.txt", "manage.py"], command: "python3 manage.py runserver" },
    { title: "Go", files: ["go.mod", "main.go"], command: "go run ." },
    { title: "Ruby", files: ["Gemfile"], command: undefined },
    { title: "PHP", files: ["composer.json"], command: "php -S 127.0.0.1:$PORT" },
    { title: "no package.json", files: ["Cargo.toml"], command: undefined },
    { title: "no package.json", files: ["index.html"], command: undefined },
  ])("writes JSON and no package.json ($title, $files)", async ({ title, files, command }) => {
    await write(Object.fromEntries(files.map((file) => [file, ""])));
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toContain(`(${title})`);
    expect(stdout).toContain("POST /channels/authorize");
    expect(stdout).toContain(
      command === undefined ? `npx chanctl dev --app "<command>"` : "npx chanctl dev ",
    );
    expect(stdout).not.toMatch(/loadChannels|npm install/);
    expect((await readdir(root)).sort()).toEqual(
      [...files, ".gitignore", "channels", "chanctl.config.json"].sort(),
    );
    expect(await readJson("chanctl.config.json")).toEqual({
      ...(command === undefined ? {} : { app: { command } }),
      channels: "./channels",
    });
    const before = await snapshot();
    expect((await init()).code).toBe(0);
    expect(await snapshot()).toEqual(before);
    const added = await runCli(["channel", "add", "jobs", "--param", "id:integer", "--json"], { cwd: root });
    expect(added.stdout).toBe(`{"name":"jobs","file":"channels/jobs.json"}\n`);
    const { stdout: list } = await runCli(["channel", "list", "--json"], { cwd: root });
    expect(
      list
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { name: "chat", transport: "ws", auth: { headerName: "authorization", cookieName: "session" } },
      { name: "jobs", transport: "sse", paramsSchema: { required: ["id"] } },
    ]);
  });

  test("goes on with JavaScript that has no package.json yet as Node does", async () => {
    await write({ "server.js": "" });
    expect((await init()).code).toBe(0);
    expect(await exists("package.json")).toBe(true);
  });

  // The printed lines are put into an app as they are; it must then answer the broker.
  test("prints Python that answers who may come in", async (context) => {
    requirePrograms(context, "python3");
    await write({ "pyproject.toml": "" });
    const { stdout } = await init();
    const lines = stdout.split("\n").map((line) => line.slice(2));
    const begin = lines.findIndex((line) => line.startsWith("def "));
    const code = lines.slice(begin, lines.indexOf("", begin)).join("\n");
    const calls = `
import hmac, json, os
from types import SimpleNamespace
find_user = lambda header, cookie: SimpleNamespace(id="u1") if cookie == "known" else None
${code}
print(json.dumps([
    authorize("Bearer wrong \u00e9", {}),
    authorize("Bearer " + os.environ["CHANCTL_TOKEN"], {}),
    authorize("Bearer " + os.environ["CHANCTL_TOKEN"], {"cookie": "known"}),
]))`;
    const { stdout: answers } = await promisify(execFile)("python3", ["-c", calls], {
      env: { ...process.env, CHANCTL_TOKEN: TOKEN },
    });
    expect(JSON.parse(answers)).toEqual([
      [404, {}],
      [200, { ok: false, status: 401, reason: "sign in first" }],
      [200, { ok: true, subject: "u1" }],
    ]);
  });
});

test("refuses an unknown template with the one that was meant", async () => {
  const { code, stderr } = await init("--template", "caht");
  expect(code).toBe(2);
  expect(stderr).toContain("did you mean `chat`?");
});

test("refuses a file in place of the folder", async () => {
  await write({ here: "" });
  expect(await init("here")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^error: \S+\/here must be a folder, .*\n {2}fix: chanctl init my-chat {5}makes one here\n$/,
    ),
  });
});
