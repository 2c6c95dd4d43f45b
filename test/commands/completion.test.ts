import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { requirePrograms } from "../support/requires.ts";
import { runCli } from "./cli.ts";
import { makeDevProject } from "./dev-project.ts";
import type { DevProject } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const run = promisify(execFile);

const CHANNELS = {
  "channels/chat.json": JSON.stringify({
    transport: "ws",
    public: true,
    paramsSchema: {
      type: "object",
      properties: { room: { type: "string" }, lang: { enum: ["en", "de"] }, old: { type: "boolean" } },
      required: ["room"],
    },
  }),
  "channels/game/moves.json": "{}",
};

let dev: DevProject;
let cwd: string;

beforeAll(async () => {
  dev = await makeDevProject(CHANNELS);
  cwd = dev.project.root;
});

afterAll(() => dev[Symbol.asyncDispose]());

/** The words that may come next, and whether the shell's own files may too. */
async function complete(words: readonly string[], at = cwd): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(["__complete", ...words], { cwd: at });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [kind = "", ...lines] = stdout.trimEnd().split("\n");
  return kind === "files" ? [kind] : lines.map((line) => line.split("\t")[0] ?? "");
}

describe("completion", () => {
  it.each([
    [["to"], ["token"]],
    [
      ["channel", ""],
      ["add", "list"],
    ],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [
      ["dev", "--app"],
      ["--app", "--app-port"],
    ],
    [["dev", "--port", ""], []],
    [["dev", "--", ""], ["files"]],
    [["serve", "--cert", ""], ["files"]],
    [
      ["channel", "add", "x", "--transport", ""],
      ["ws", "sse"],
    ],
    [["channel", "add", "x", "--transport", "w"], ["ws"]],
    [
      ["tail", ""],
      ["chat", "game/moves"],
    ],
    [["tail", "g"], ["game/moves"]],
    [["publish", "ch"], ["chat"]],
    [["tail", "chat", "--ro"], ["--room"]],
    [["tail", "chat", "--room", "x", "--ro"], []],
    [
      ["tail", "chat", "--lang", ""],
      ["en", "de"],
    ],
    [["tail", "chat", "--lang=d"], ["--lang=de"]],
    [["tail", "chat", "--lang", "=", "d"], ["de"]],
    [
      ["tail", "chat", "--old", ""],
      ["true", "false"],
    ],
    [["tail", "chat", "--no-follow", "--no"], []],
    [["tail", "nothing-like-it", "--ro"], []],
    [["wibble", ""], []],
    [["help", "chan"], ["channel"]],
    [
      ["help", "channel", ""],
      ["add", "list"],
    ],
    [
      ["stream", "list", "--"],
      ["--json", "--help"],
    ],
    [
      ["trust", "--store", ""],
      ["system", "nss", "firefox", "java"],
    ],
  ])("of %j offers %j", async (words, expected) => {
    expect(await complete(words)).toEqual(expected);
  });

  it("offers every option of a command, and the params first", async () => {
    const words = await complete(["publish", "chat", ""]);
    expect(words.slice(0, 4)).toEqual(["--room", "--lang", "--old", "--type"]);
    expect(words).toContain("--idempotency-key");
  });

  it("offers the streams of the running server", async () => {
    await runCli(["stream", "create", "work/42", "--type", "text"], { cwd });
    expect(await complete(["stream", "read", "wo"])).toEqual(["work/42"]);
  });

  it("knows the channels from their files where no server runs, and loads no definition for it", async () => {
    await using project = await makeProject({
      "chanctl.config.ts": 'export default {\n  channels: "./rooms",\n};\nthrow new Error("was run");\n',
      "rooms/chat.ts": 'throw new Error("was loaded");\n',
      "rooms/_draft.ts": "",
    });
    expect(await complete(["tail", ""], project.root)).toEqual(["chat"]);
    expect(await complete(["tail", "chat", "--room"], project.root)).toEqual([]);
  });
});

describe("the completion script", () => {
  /** A shell in the project, where `npm install` has put chanctl. */
  async function shell(program: string, args: readonly string[]): Promise<string> {
    const bin = join(cwd, "node_modules/.bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "chanctl"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
    await chmod(join(bin, "chanctl"), 0o755);
    await mkdir(join(cwd, "deep/er"), { recursive: true });
    const { stdout } = await run(program, [...args], { cwd: join(cwd, "deep/er") });
    return stdout;
  }
  const source = `"${process.execPath}" "${CLI}" completion`;

  it("completes in bash, also what bash takes apart at `=`", async (context) => {
    requirePrograms(context, "bash");
    const script = `eval "$(${source} bash)"
complete -p chanctl
for line in "chanctl tail c" "chanctl tail chat --lang = d" "chanctl tail chat --room lobby --la"; do
  COMP_WORDS=($line); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _chanctl
  printf '%s\\n' "\${COMPREPLY[*]}"
done`;
    const out = await shell("bash", ["--norc", "-c", script]);
    expect(out).toBe("complete -F _chanctl chanctl\nchat\nde\n--lang\n");
  });

  it("completes in fish, with what each word is", async (context) => {
    requirePrograms(context, "fish");
    const script = `${source} fish | source; complete -C "chanctl tail c"; complete -C "chanctl tail chat --la"`;
    expect(await shell("fish", ["--no-config", "-c", script])).toBe(
      "chat\tchannel, --room --lang --old\n--lang\tparam\n",
    );
  });

  it("is registered in zsh, and hands over words with what each is", async (context) => {
    requirePrograms(context, "zsh");
    const script = `compdef() { print -r -- "compdef $*" }
_describe() { print -rl -- "\${(@)described}" }
eval "$(${source} zsh)"
words=(chanctl tail c); CURRENT=3; _chanctl
words=(chanctl tail chat --la); CURRENT=4; _chanctl`;
    expect(await shell("zsh", ["-f", "-c", script])).toBe(
      "compdef _chanctl chanctl\nchat:channel, --room --lang --old\n--lang:param\n",
    );
  });
});
