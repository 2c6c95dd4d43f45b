import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { runCli } from "./cli.ts";
import { makeProject } from "./temp-project.ts";

const TYPESCRIPT = { "tsconfig.json": "{}" };

describe("chanctl channel add", () => {
  it("writes a channel that loads, and says what to do next", async () => {
    await using project = await makeProject(TYPESCRIPT);
    const args = [
      "channel",
      "add",
      "game/moves",
      "--transport",
      "ws",
      "--param",
      "table:integer",
      "--param",
      "as?:string",
    ];
    const added = await runCli(args, { cwd: project.root });
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(added.stdout).toMatch(/^wrote channels\/game\/moves\.ts\n/);
    expect(added.stdout).toContain("chanctl tail game/moves --table 1");

    const listed = await runCli(["channel", "list", "--json"], { cwd: project.root });
    expect(JSON.parse(listed.stdout)).toMatchObject({
      name: "game/moves",
      file: "channels/game/moves.ts",
      transport: "ws",
      paramsSchema: {
        properties: { table: { type: "integer" }, as: { type: "string" } },
        required: ["table"],
      },
      auth: { headerName: "authorization", cookieName: "session" },
      public: false,
    });
  });

  it("lets nobody in until the author says who may", async () => {
    await using project = await makeProject(TYPESCRIPT);
    await runCli(["channel", "add", "chat"], { cwd: project.root });
    const source = await readFile(join(project.root, "channels/chat.ts"), "utf8");
    expect(source).toContain('return reject("sign in first")');
    expect(source).toMatch(/findUser[^]*return undefined;/);
  });

  it.each(["ws", "sse"])("writes a public %s channel that loads", async (transport) => {
    await using project = await makeProject();
    await runCli(["channel", "add", "news", "--transport", transport, "--public"], { cwd: project.root });
    const { code, stdout } = await runCli(["channel", "list", "--json"], { cwd: project.root });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: "news", transport, public: true });
  });

  it.each([
    ["ESM", "js", '{"type":"module"}'],
    ["CommonJS", "mjs", "{}"],
    ["Next", "js", '{"dependencies":{"next":"16.0.0"}}'],
  ])(
    "writes JavaScript that Node imports where the project has no TypeScript: %s",
    async (_, extension, text) => {
      await using project = await makeProject({ "package.json": text });
      const names = ["ws", "sse"].flatMap((transport) =>
        [[], ["--public"]].map(async (flags) => {
          const name = `${transport}${flags.length}`;
          await runCli(
            ["channel", "add", name, "--transport", transport, "--param", "room:string", ...flags],
            {
              cwd: project.root,
            },
          );
          return `channels/${name}.${extension}`;
        }),
      );
      for (const file of await Promise.all(names)) {
        // Node as it runs the app: no TypeScript, and nothing compiled for it, but for the one that Next compiles.
        const args = ["--input-type=module", "--check"];
        execFileSync("node", args, { input: await readFile(join(project.root, file), "utf8") });
      }
      const { stdout } = await runCli(["channel", "list", "--json"], { cwd: project.root });
      expect(stdout.trim().split("\n")).toHaveLength(4);
    },
  );

  it("writes into the folder that the config names", async () => {
    await using project = await makeProject({
      ...TYPESCRIPT,
      "chanctl.config.json": '{"channels":"./live"}',
    });
    const { stdout } = await runCli(["channel", "add", "chat", "--json"], { cwd: project.root });
    expect(JSON.parse(stdout)).toEqual({ name: "chat", file: "live/chat.ts" });
  });

  it("never overwrites without --force", async () => {
    await using project = await makeProject({ ...TYPESCRIPT, "channels/chat.ts": "mine" });
    const refused = await runCli(["channel", "add", "chat"], { cwd: project.root });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("channels/chat.ts\n  fix: --force"),
    });
    expect(await readFile(join(project.root, "channels/chat.ts"), "utf8")).toBe("mine");

    const forced = await runCli(["channel", "add", "chat", "--force"], { cwd: project.root });
    expect(forced.code).toBe(0);
    expect(await readFile(join(project.root, "channels/chat.ts"), "utf8")).toContain("defineChannel");
  });

  it("makes no second definition of a channel, even with --force", async () => {
    await using project = await makeProject({ "channels/chat.json": "{}" });
    const { code, stderr } = await runCli(["channel", "add", "chat", "--force"], { cwd: project.root });
    expect(code).toBe(1);
    expect(stderr).toContain("remove channels/chat.json first");
  });

  it.each([
    [["Chat Room"], "chanctl channel add chat-room"],
    [["../x"], "chanctl channel add <name>     such as chat, or game/moves"],
    [["messages"], "chanctl channel add my-messages"],
    [["chat/messages"], "chanctl channel add chat/my-messages"],
    [["chat", "--transport", "http"], "ws: clients publish too; sse: they only read"],
    [["chat", "--param", "room:text"], "--param room:string"],
    [["chat", "--param", "room:strng"], "--param room:string"],
    [["chat", "--param", "token:string"], "--param room:string"],
  ])("refuses %j with exit 2 and a fix, and writes nothing", async (args, fix) => {
    await using project = await makeProject();
    const { code, stderr } = await runCli(["channel", "add", ...args], { cwd: project.root });
    expect(code).toBe(2);
    expect(stderr).toContain(`  fix: ${fix}\n`);
    await expect(readFile(join(project.root, "channels/chat.ts"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("chanctl channel list", () => {
  it("shows what is good, what is broken with its place, and exits 3", async () => {
    await using project = await makeProject({
      "channels/chat.json": JSON.stringify({
        transport: "ws",
        paramsSchema: {
          type: "object",
          properties: { room: { type: "string" }, limit: { type: "integer" } },
          required: ["room"],
        },
        public: true,
        replayWindowMs: 60_000,
      }),
      "channels/broken.ts": "export default {\n  public: tru e,\n};",
    });
    const { code, stdout, stderr } = await runCli(["channel", "list"], { cwd: project.root });
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /chat +ws +room:string limit\?:integer +public +replayWindow 1 min +channels\/chat\.json\n/,
    );
    expect(stderr).toMatch(/^\nbroken\nerror: channels\/broken\.ts:2:\d+: [^]*public: tru e,/);
  });

  it("gives programs the error too", async () => {
    await using project = await makeProject({ "channels/a.json": '{"public":true,"transprt":"ws"}' });
    const { code, stdout } = await runCli(["channel", "list", "--json"], { cwd: project.root });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      name: "a",
      error: { code: "definition_invalid", fix: "did you mean `transport`?" },
    });
  });

  it("says how to make the first channel", async () => {
    await using project = await makeProject();
    const { code, stdout, stderr } = await runCli(["channel", "list"], { cwd: project.root });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("chanctl channel add chat");
  });

  it("names the place of a slip in the config and exits 3", async () => {
    await using project = await makeProject({
      "chanctl.config.ts":
        'import { defineConfig } from "chanctl/config";\nexport default defineConfig({\n  prot: 1,\n});',
    });
    const { code, stderr } = await runCli(["channel", "list"], { cwd: project.root });
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /^error: chanctl\.config\.ts:3:3: unknown key `prot`\n[^]*\n {2}fix: did you mean `port`\?\n$/,
    );
  });
});

describe("the channel templates", () => {
  it.each(["ws", "sse", "ws.public", "sse.public"])(
    "%s.ts has the mark that the params replace",
    async (name) => {
      const path = fileURLToPath(new URL(`../../templates/channel/${name}.ts`, import.meta.url));
      expect(await readFile(path, "utf8")).toContain("\n  // {params}\n");
    },
  );
});
