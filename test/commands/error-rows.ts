import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import Database from "better-sqlite3";
import { expect, onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { channelText } from "../support/channel-text.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { runCli } from "./cli.ts";
import { startDev } from "./dev-project.ts";
import type { TempProject } from "./temp-project.ts";

/** What a person did or met, what the command ends with, and what it says on standard error. */
export interface Row {
  readonly title: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Brings about what no file can. */
  readonly before?: (project: TempProject, context: TestContext) => Promise<unknown>;
  readonly args: readonly string[];
  readonly code: number;
  /** Every line of standard error; `<root>`, `<pid>` and `<port>` stand for what differs from run to run. */
  readonly says: readonly string[];
}

/** Starts the dev server on a free port. */
export const DEV: readonly string[] = ["dev", "--no-tls", "--port", "0"];
const SERVE = ["serve", "--port", "0", "--host", "127.0.0.1"];
const STORE = "<root>/.chanctl/channels.sqlite";

/** Slips and mishaps of the command line, each with all that is said of it. */
export const ROWS: readonly Row[] = [
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
    title: "a store that another chanctl, which is starting, has",
    before: async ({ root }) => {
      await mkdir(join(root, ".chanctl"));
      const lock = new Database(join(root, ".chanctl/lock.sqlite")).exec("BEGIN EXCLUSIVE");
      onTestFinished(() => void lock.close());
    },
    args: SERVE,
    code: 1,
    says:
      process.platform === "linux"
        ? [
            "error: the store in <root>/.chanctl is in use by chanctl (pid <pid>)",
            "  fix: kill <pid>     stops that one, or",
            "       work in another folder: one process serves a store",
          ]
        : [
            "error: the store in <root>/.chanctl is in use by another process",
            "  fix: work in another folder: one process serves a store",
          ],
  },
  {
    title: "a config with a key that there is not",
    files: { "chanctl.config.ts": "export default {\n  app: {},\n  prot: 4433,\n};\n" },
    args: DEV,
    code: 3,
    says: [
      "error: chanctl.config.ts:3:3: unknown key `prot`",
      "",
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
      "",
      "    1 | export default {",
      "  > 2 |   port: 4433,,",
      "      |              ^",
      "    3 | };",
      "    4 |",
      "  fix: correct line 2 of chanctl.config.ts and save it",
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
      "",
      "    1 | export default {",
      "  > 2 |   public true,",
      "      |          ^^^^",
      "    3 | };",
      "    4 |",
      "  fix: correct line 2 of channels/chat.ts and save it",
    ],
  },
  {
    title: "a definition whose JSON has one comma too many",
    files: { "channels/chat.json": '{\n  "public": true,\n}\n' },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      "error: channels/chat.json:2:17: JSON does not support trailing commas",
      "",
      "    1 | {",
      '  > 2 |   "public": true,',
      "      |                 ^",
      "    3 | }",
      "    4 |",
      "  fix: correct line 2 of channels/chat.json and save it",
    ],
  },
  {
    title: "a definition with a value that cannot be",
    files: { "channels/chat.ts": channelText('{\n  public: true,\n  transport: "wss",\n}') },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      'error: channels/chat.ts:4:14: `transport` must be "sse" or "ws", got `"wss"`',
      "",
      "    2 | export default defineChannel({",
      "    3 |   public: true,",
      '  > 4 |   transport: "wss",',
      "      |              ^^^^^",
      "    5 | });",
      "    6 |",
      '  fix: transport: "ws"     clients publish too; "sse": they only read',
    ],
  },
  {
    title: "a definition that no `defineChannel` has made",
    files: { "channels/chat.ts": "export default { public: true };\n" },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      "error: channels/chat.ts:1:1: the default export must be a channel that `defineChannel` has made, got an object with `public`",
      "",
      "  > 1 | export default { public: true };",
      "      | ^",
      "    2 |",
      "  fix: export default defineChannel({ … })     with import { defineChannel } from 'chanctl'",
      "       mv channels/chat.ts channels/_chat.ts     if it is no channel",
    ],
  },
  {
    title: "a definition that throws",
    files: { "channels/chat.ts": 'throw new Error("no DATABASE_URL");\n' },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      "error: channels/chat.ts:1:7: Error: no DATABASE_URL",
      "",
      '  > 1 | throw new Error("no DATABASE_URL");',
      "      |       ^",
      "    2 |",
      "  fix: correct line 1 of channels/chat.ts and save it; what needs a service or a secret goes into `verify`",
    ],
  },
  {
    title: "a definition that ends the process",
    files: { "channels/chat.ts": "process.exit(0);\n" },
    args: ["channel", "list"],
    code: 3,
    says: [
      "",
      "chat",
      "error: channels/chat.ts: importing it ended the process that loads it",
      "  fix: remove what ends it, such as `process.exit()`: a definition is imported to read its static part",
    ],
  },
  {
    title: "a package.json that is no JSON",
    files: { "package.json": '{\n  "name": "shop",\n}\n' },
    args: ["init", "--yes", "--no-install"],
    code: 3,
    says: [
      "error: package.json:2:17: JSON does not support trailing commas",
      "",
      "    1 | {",
      '  > 2 |   "name": "shop",',
      "      |                 ^",
      "    3 | }",
      "    4 |",
      "  fix: correct line 2 of package.json and save it",
    ],
  },
  {
    title: "a file where `init` should write",
    args: ["init", "package.json"],
    code: 2,
    says: [
      "error: <root>/package.json must be a folder, or a place for a new one, and is a file",
      "  fix: chanctl init my-chat     makes one here",
    ],
  },
  {
    title: "a folder given to `dev`",
    files: { "my-app/package.json": "{}" },
    args: ["dev", "./my-app", "--port", "0"],
    code: 2,
    says: [
      "error: what starts the app must follow `--`, got `./my-app` before it",
      "  fix: cd ./my-app && chanctl dev --port 0",
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
