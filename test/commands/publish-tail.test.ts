import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { RunningCli, runCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";
import { CHANNELS, makeDevProject, startDev } from "./dev-project.ts";
import type { DevProject } from "./dev-project.ts";

const ID = /^\d{16}_\d{16}$/;

let dev: DevProject;
let cwd: string;

beforeAll(async () => {
  dev = await makeDevProject({
    ...CHANNELS,
    "channels/brief.json": '{ "public": true, "replayWindowMs": 1000 }',
    "channels/short.json": JSON.stringify({
      public: true,
      paramsSchema: { type: "object", properties: { name: { type: "string", minLength: 1 } } },
    }),
    "channels/clash.json": JSON.stringify({
      public: true,
      paramsSchema: { type: "object", properties: { type: { type: "string" } }, required: ["type"] },
    }),
  });
  cwd = dev.project.root;
});

afterAll(() => dev[Symbol.asyncDispose]());

const publish = (room: string, ...args: string[]): Promise<CliResult> =>
  runCli(["publish", "chat", "--room", room, ...args], { cwd });
const history = async (room: string, ...args: string[]): Promise<unknown[]> => {
  const { code, stdout } = await runCli(["tail", "chat", "--room", room, "--no-follow", "--json", ...args], {
    cwd,
  });
  expect(code).toBe(0);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
};
const texts = async (room: string, ...args: string[]): Promise<unknown[]> =>
  (await history(room, ...args)).map((message) => (message as { data: { text: unknown } }).data.text);

describe("chanctl publish", () => {
  it("prints the id of the message, which tail then shows", async () => {
    const { code, stdout, stderr } = await publish("one", '{"text":"hi"}');
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim()).toMatch(ID);
    expect(await history("one")).toMatchObject([
      { id: stdout.trim(), type: "message", data: { text: "hi" } },
    ]);
  });

  it("takes the data from a file", async () => {
    await writeFile(join(cwd, "data.json"), '{\n  "text": "from a file"\n}\n');
    const { code } = await publish("file", "@data.json", "--type", "note");
    expect(code).toBe(0);
    expect(await history("file")).toMatchObject([{ type: "note", data: { text: "from a file" } }]);
  });

  it("publishes standard input line by line, all of it, in order", async () => {
    const input = Array.from({ length: 2_345 }, (_, index) => `{"text":${index}}\n`).join("\n");
    const { code, stdout } = await runCli(["publish", "chat", "--room", "many", "-"], { cwd, input });
    expect(code).toBe(0);
    expect(stdout.split("\n").slice(0, -1)).toHaveLength(2_345);
    expect(await texts("many")).toEqual(Array.from({ length: 2_345 }, (_, index) => index));
  });

  it("publishes all of its input though nobody reads the ids any more", async () => {
    await using cli = new RunningCli(["publish", "chat", "--room", "headless", "-"], { cwd });
    cli.child.stdin.write('{"text":0}\n');
    await cli.until(({ lines }) => lines.length === 1);
    cli.child.stdout.destroy();
    cli.child.stdin.end(Array.from({ length: 1_500 }, (_, index) => `{"text":${index + 1}}\n`).join(""));
    expect((await cli.ended()).code).toBe(0);
    expect(await history("headless")).toHaveLength(1_501);
  });

  it("fails with what was refused, though nobody reads the ids any more", async () => {
    await using cli = new RunningCli(["publish", "chat", "--room", "refused", "-"], { cwd });
    cli.child.stdin.write('{"text":0}\n');
    await cli.until(({ lines }) => lines.length === 1);
    cli.child.stdout.destroy();
    cli.child.stdin.write('{"text":1}\n');
    await expect.poll(() => history("refused"), { timeout: 10_000 }).toHaveLength(2);
    cli.child.stdin.end("not JSON\n");
    const { code, stderr } = await cli.ended();
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: line 3 /) });
  });

  it("publishes each line of a slow input as it comes", async () => {
    await using cli = new RunningCli(["publish", "chat", "--room", "slow", "-"], { cwd });
    cli.child.stdin.write('{"text":1}\n');
    await cli.until(({ lines }) => lines.length === 1);
    cli.child.stdin.end('{"text":2}');
    expect((await cli.ended()).stdout.split("\n")).toHaveLength(3);
    expect(await texts("slow")).toEqual([1, 2]);
  });

  it("ends when a message is refused, though its input goes on", async () => {
    await using cli = new RunningCli(["publish", "chat", "--room", "open", "-"], { cwd });
    cli.child.stdin.write("1\n");
    expect(await cli.ended()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("data must be object"),
    });
  });

  it("is told in the server's log by room, type and reason when it does not fit, without its data", async () => {
    await publish("thin", '"s3cret"');
    await dev.cli.until(({ stdout }) => stdout.includes("chat/room=thin to 127.0.0.1"));
    const line = dev.cli.lines.find((text) => text.includes("chat/room=thin to 127.0.0.1")) ?? "";
    expect(JSON.parse(line)).toMatchObject({
      event: "refused",
      path: "chat/room=thin",
      message: expect.stringContaining(
        ": message does not fit the channel: type `message`: data must be object",
      ),
    });
    await publish("mistyped", "{}", "--type", "mesage");
    const reason = "channel: `type` must be a message type of `chat`, got `mesage`";
    await dev.cli.until(({ stdout }) => stdout.includes(reason));
    expect(dev.cli.stdout).not.toContain("s3cret");
  });

  it("names the line that is no JSON; what came before it is published", async () => {
    const input = '{"text":1}\n{"text":2}\nthree\n{"text":4}\n';
    const { code, stderr } = await runCli(["publish", "chat", "--room", "bad", "-"], { cwd, input });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: line 3 of the input must be JSON[^]*\n {2}fix: {"text":"hi"} {5}each line is one JSON\n$/,
    );
    expect(stderr).toContain("published up to line 2, and nothing after it");
    expect(await texts("bad")).toEqual([1, 2]);
  });

  it.each([
    ["of a wrong type", '\n{"text":1}\n{"text":2}\n7\n', "line 4 of the input: data must be object"],
    [
      "that is too big",
      `{"text":1}\n\n{"text":"${"x".repeat(70_000)}"}\n`,
      "line 3 of the input: the message has 70011 bytes of data",
    ],
  ])("names a message %s by its line, and says that nothing is published", async (_, input, expected) => {
    const { code, stdout, stderr } = await runCli(["publish", "chat", "--room", "lines", "-"], {
      cwd,
      input,
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`error: ${expected}`);
    expect(stderr).toContain("\n  nothing is published");
    expect(await texts("lines")).toEqual([]);
  });

  it("says up to which line is published when a later batch is refused", async () => {
    const lines = Array.from({ length: 700 }, (_, index) => (index === 699 ? "7" : `{"text":${index}}`));
    const args = ["publish", "chat", "--room", "late", "-", "--idempotency-key", "late"];
    const { stdout, stderr } = await runCli(args, { cwd, input: lines.join("\n") });
    expect(stdout.trim().split("\n")).toHaveLength(500);
    expect(stderr).toContain("error: line 700 of the input: data must be object");
    expect(stderr).toContain("published up to line 500, and nothing after it");
    expect(await history("late")).toHaveLength(500);
  });

  it("stores a repeat of the same command once, however its input comes in", async () => {
    const input = Array.from({ length: 1_200 }, (_, index) => `{"text":${index}}\n`).join("");
    const args = ["publish", "chat", "--room", "key", "-", "--idempotency-key", "k1"];
    const first = await runCli(args, { cwd, input });
    await using again = new RunningCli(args, { cwd });
    again.child.stdin.write(input.slice(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 300)); // a batch could begin here, and must not
    again.child.stdin.end(input.slice(100));
    expect(first.code).toBe(0);
    expect(await again.ended()).toEqual(first);
    expect(await history("key")).toHaveLength(1_200);
  });

  it("refuses a key that was used for something else", async () => {
    await publish("reuse", '{"text":1}', "--idempotency-key", "k");
    const { code, stderr } = await publish("reuse", '{"text":2}', "--idempotency-key", "k");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*key[^]*fix: make a new key/);
  });

  it("keeps numbers as they were written", async () => {
    await publish("exact", '{"text":12345678901234567890.10}');
    const { stdout } = await runCli(["tail", "chat", "--room", "exact", "--no-follow", "--json"], { cwd });
    expect(stdout).toContain('"data":{"text":12345678901234567890.10}');
  });

  it.each([
    [["chta", "--room", "a", "1"], 2, "there is no channel `chta`", "did you mean `chat`?"],
    [["chat", "--rom", "a", "1"], 2, "the channel `chat` has no param `rom`", "did you mean `--room`?"],
    [
      ["chat", "--room", "a", "--tpye", "x", "1"],
      2,
      "the channel `chat` has no param `tpye`",
      "did you mean `--type`?",
    ],
    [["chat", "1"], 2, "the channel `chat` needs `--room`", "chanctl publish chat --room <room>"],
    [
      ["chat", "--room", "a", "--room", "b", "1"],
      2,
      "the param `room` is given more than once",
      "give `--room` once",
    ],
    [
      ["chat", "--room", "a"],
      2,
      "the data to publish is missing: `a` is the value of `--room`",
      `add '{"text":"hi"}' at the end, or @file, or - for standard input`,
    ],
    [["chat", "--room"], 2, "`--room` needs a value", "--room <value>"],
    [["chat", "--room", "a", "--jsno"], 2, "`--jsno` needs a value", "did you mean `--json`?"],
    [
      ["chat", "--room", "a", "1", "2"],
      2,
      "there is one data argument, got 2",
      'quote JSON for the shell: \'{"text":"hi"}\'',
    ],
    [
      ["chat", "--room", "a", "--type=", "1"],
      2,
      "`--type` must be the type of the messages, got an empty text",
      "--type message",
    ],
    [["chat", "--room", "a", "-x", "1"], 2, "unknown option `-x`", "chanctl publish --help"],
    [
      ["chat", "--room", "a", "[5]"],
      1,
      "data must be object, got `[5]`",
      "chanctl channel list --json     shows the schema of each type",
    ],
  ])("answers %j with what is wrong and a fix", async (args, code, message, fix) => {
    const result = await runCli(["publish", ...args], { cwd });
    expect(result).toEqual({ code, stdout: "", stderr: `error: ${message}\n  fix: ${fix}\n` });
  });

  it("says how much too big a message is, and what to do", async () => {
    await writeFile(join(cwd, "big.json"), JSON.stringify("x".repeat(65_536)));
    const { code, stderr } = await publish("a", "@big.json");
    const what = "the message has 65538 bytes of data, more than `limits.maxMessageBytes` (65536)";
    const fix =
      "send it in smaller parts, or raise the limit that it names in the server's config, under `limits`";
    expect({ code, stderr }).toEqual({ code: 1, stderr: `error: ${what}\n  fix: ${fix}\n` });
  });

  it("says what of the data does not fit the channel's schema", async () => {
    const { code, stderr } = await publish("a", '"text"');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*data must be object/);
  });

  it("is a client like any other at a public URL", async () => {
    const url = ["--url", dev.ready.url];
    const stranger = await runCli(["publish", "chat", "--room", "pub", '{"text":"hi"}', ...url], { cwd });
    expect(stranger).toMatchObject({ code: 0, stderr: "" });
    const closed = await runCli(["publish", "jobs", "1", ...url, "--token", "t"], { cwd });
    expect(closed.code).toBe(1);
    expect(closed.stderr).toMatch(/^error: clients may only read/);
  });
});

describe("chanctl tail", () => {
  it("follows live messages until Ctrl-C, exit 130", async () => {
    await using tail = new RunningCli(["tail", "chat", "--room", "live"], { cwd });
    await tail.until(({ stderr }) => stderr.startsWith("connected to chat/room=live\n"));
    await publish("live", '{"text": "hi",\n "n": [1, 2]}');
    await tail.until(({ lines }) => lines.length === 1);
    expect(tail.stdout).toMatch(/^\d\d:\d\d:\d\d message \{"text":"hi","n":\[1,2\]\}\n$/);
    expect(await tail.end("SIGINT")).toMatchObject({ code: 130 });
  });

  it("begins where --since and -n say", async () => {
    const ids: string[] = [];
    for (const text of [1, 2, 3]) ids.push((await publish("since", `{"text":${text}}`)).stdout.trim());
    expect(await texts("since")).toEqual([1, 2, 3]);
    expect(await texts("since", "--since", "start")).toEqual([1, 2, 3]);
    expect(await texts("since", "--since", "1h")).toEqual([1, 2, 3]);
    expect(await texts("since", "--since", new Date(Date.now() - 3_600_000).toISOString())).toEqual([
      1, 2, 3,
    ]);
    expect(await texts("since", "--since", ids[0] ?? "")).toEqual([2, 3]);
    expect(await texts("since", "-n", "2")).toEqual([2, 3]);
    expect(await texts("since", "-n", "0")).toEqual([]);
  });

  it("ends at once without messages where it need not follow", async () => {
    expect(await history("nobody-was-here")).toEqual([]);
  });

  it("shows only what --type and --where let through", async () => {
    await publish("filter", '{"text":1,"user":{"id":7}}');
    await publish("filter", '{"text":2,"user":{"id":8}}');
    await publish("filter", '{"text":3,"user":{"id":7}}', "--type", "note");
    expect(await texts("filter", "--type", "note")).toEqual([3]);
    expect(await texts("filter", "--where", "user.id=7")).toEqual([1, 3]);
    expect(await texts("filter", "--where", "user.id=7", "--type", "message")).toEqual([1]);
  });

  it("shows all of the data with --full", async () => {
    const { stdout: id } = await publish("full", '{"text":"x","list":[1]}');
    const { stdout } = await runCli(["tail", "chat", "--room", "full", "--no-follow", "--full"], { cwd });
    const block = `message ${id}  {\n    "text": "x",\n    "list": [\n      1\n    ]\n  }\n`;
    expect(stdout.slice("18:03:05 ".length)).toBe(block);
  });

  it("says what was missed where an id is older than what is kept, and goes on", async () => {
    await publish("gap", '{"text":1}');
    const { stderr, stdout, code } = await runCli(
      ["tail", "chat", "--room", "gap", "--since", "0000000000000001_0000000000000000", "--no-follow"],
      { cwd },
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^gap: what came after 0{15}1_0{16} can no longer be read; going on with the oldest/,
    );
    expect(stdout).toMatch(/"text":1/);
  });

  it("ends at SIGTERM with exit 143", async () => {
    await using tail = new RunningCli(["tail", "chat", "--room", "term"], { cwd });
    await tail.until(({ stderr }) => stderr.includes("connected"));
    expect(await tail.end("SIGTERM")).toMatchObject({ code: 143, stdout: "" });
  });

  it("counts what is missing after an id, and goes on with what is kept", async () => {
    const { stdout: id } = await runCli(["publish", "brief", '"one"'], { cwd });
    await runCli(["publish", "brief", '"two"', "--type", "old"], { cwd });
    const again = (): Promise<CliResult> =>
      runCli(["tail", "brief", "--since", id.trim(), "--no-follow", "--json"], { cwd });
    await expect
      .poll(async () => (await again()).stderr, { timeout: 20_000, interval: 200 })
      .toBe(
        `gap: 1 message after ${id.trim()} can no longer be read; going on with the oldest that is kept\n`,
      );
  });

  it.each([
    [["-f"], "unknown option `-f`"],
    [["--follow"], "the channel `chat` has no param `follow`"],
    [["--folow"], "the channel `chat` has no param `folow`"],
  ])("tells who types %j that it follows by itself", async (args, message) => {
    const { code, stderr } = await runCli(["tail", "chat", "--room", "a", ...args], { cwd });
    const fix = "leave it out: `chanctl tail` follows by itself";
    expect({ code, stderr }).toEqual({ code: 2, stderr: `error: ${message}\n  fix: ${fix}\n` });
  });

  it("says what came for a param that does not fit, exit 2", async () => {
    const { code, stderr } = await runCli(["tail", "short", "--name", ""], { cwd });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        'error: the param `name` must have at least 1 character, got `""`\n  fix: chanctl channel list --json     shows what each param must be\n',
    });
  });

  it("lists a param that is named like an option as it is given", async () => {
    const { stderr } = await runCli(["tail", "clash", "--nope"], { cwd });
    expect(stderr).toContain("  fix: the params of `clash` are --param type=<type>\n");
  });

  it("names the way to give a param that is named like an option", async () => {
    const { code, stderr } = await runCli(["tail", "clash"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain("  fix: chanctl tail clash --param type=<type>\n");
    const given = await runCli(["tail", "clash", "--param", "type=a", "--no-follow"], { cwd });
    expect(given).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("ends with exit 1 when its channel is removed, and names the one that is like it", async () => {
    await using gone = await makeDevProject();
    const at = { cwd: gone.project.root };
    await writeFile(join(gone.project.root, "channels/jobs2.json"), '{ "public": true }');
    await gone.cli.until(({ stdout }) => stdout.includes("channel jobs2 added"));
    await using tail = new RunningCli(["tail", "jobs"], at);
    await tail.until(({ stderr }) => stderr.includes("connected"));
    await rm(join(gone.project.root, "channels/jobs.json"));
    const { code, stderr } = await tail.ended();
    expect(code).toBe(1);
    expect(stderr).toBe(
      "connected to jobs\nerror: there is no channel `jobs`\n  fix: did you mean `jobs2`?\n",
    );
  });

  it("takes a stream's path as dev prints it", async () => {
    await publish("a/b ü", '{"text":1}');
    const path = "chat/room=a%2Fb%20%C3%BC";
    const { code, stdout } = await runCli(["tail", path, "--no-follow", "--json"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('"text":1');
    const cut = await runCli(["tail", "chat/room=a/b", "--no-follow"], { cwd });
    expect(cut).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("must be `name=value`, got `chat/room=a/b`\n"),
    });
  });

  it("warns of a --type that the channel does not have", async () => {
    const tail = (...args: string[]): Promise<CliResult> => runCli(["tail", ...args, "--no-follow"], { cwd });
    expect(
      await tail("chat", "--room", "w", "--type", "mesage", "--type", "zzzzz", "--type", "note"),
    ).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "warning: the channel `chat` has no type `mesage`: did you mean `message`?\n" +
        "warning: the channel `chat` has no type `zzzzz`: its types are message, note\n",
    });
    expect((await tail("brief", "--type", "any")).stderr).toBe("");
  });

  it("shows letters that the publisher escaped, and with --json what it wrote", async () => {
    const data = String.raw`{"text":"\u65e5\u672c \u001b"}`;
    await publish("letters", data);
    const args = ["tail", "chat", "--room", "letters", "--no-follow"];
    const [line, block, json] = await Promise.all(
      [args, [...args, "--full"], [...args, "--json"]].map((words) => runCli(words, { cwd })),
    );
    expect(line?.stdout).toContain(String.raw`{"text":"日本 \u001b"}`);
    expect(block?.stdout).toContain(String.raw`"text": "日本 \u001b"`);
    expect(json?.stdout).toContain(`"data":${data}`);
  });

  it("escapes what could move the cursor or forge a line", async () => {
    await publish("escape", '{"text":"\u009B31m\u202E\u007F"}');
    const { stdout } = await runCli(["tail", "chat", "--room", "escape", "--no-follow"], { cwd });
    expect(stdout).toContain(String.raw`{"text":"\x9b31m\u202e\x7f"}`);
  });

  it("ends quietly when its reader goes away", async () => {
    await publish("pipe", '{"text":1}');
    await using tail = new RunningCli(["tail", "chat", "--room", "pipe", "--since", "start"], { cwd });
    await tail.until(({ lines }) => lines.length === 1);
    tail.child.stdout.destroy();
    await publish("pipe", '{"text":2}');
    expect((await tail.ended()).code).toBe(0);
  });

  it("works against a public URL as the caller that the app lets in", async () => {
    await publish("url", '{"text":1}');
    expect(await texts("url", "--url", dev.ready.url)).toEqual([1]);
    const refused = await runCli(["tail", "jobs", "--url", dev.ready.url], { cwd });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error: /);
  });

  it.each([
    [
      ["--since", "yesterday"],
      "`--since` must be a duration, a time, a message's id or `start`, got `yesterday`",
    ],
    [["--since", "2999-01-01"], "`--since` must be a time that has passed, got `2999-01-01`"],
    [["-n", "many"], "`-n` must be a number of messages, got `many`"],
    [["-n", "1", "--since", "1m"], "`--since` and `-n` exclude each other"],
    [["--where", "x"], "`--where` must be `name=value`, got `x`"],
    [["--param", "x"], "`--param` must be `name=value`, got `x`"],
    [["--token", "t"], "`--token` is a caller's credential for `--url`, got no `--url`"],
    [["--url", "localhost:1"], "`--url` must be an http or https URL, got `localhost:1`"],
    [["--nope"], "the channel `chat` has no param `nope`"],
    [["--jsno", "--no-follow"], "the channel `chat` has no param `jsno`"],
    [["--room"], "`--room` needs a value"],
    [["--full", "--json"], "`--full` and `--json` exclude each other"],
    [["lobby"], "there is one channel, got `chat lobby`"],
    [["-x"], "unknown option `-x`"],
    [["--jsno", "--url", "http://127.0.0.1:1"], "`--jsno` needs a value"],
  ])("answers %j with exit 2", async (args, message) => {
    const { code, stderr } = await runCli(["tail", "chat", "--room", "a", ...args], { cwd });
    expect(code).toBe(2);
    expect(stderr.split("\n")[0]).toBe(`error: ${message}`);
  });
});

describe("without a server", () => {
  it("says how to start one, exit 5", async () => {
    const { code, stderr } = await runCli(["tail", "chat"], { cwd: "/" });
    expect(code).toBe(5);
    expect(stderr).toBe(
      "error: no chanctl runs in / (it has no .chanctl/run.json)\n  fix: chanctl dev             start it here\n       --url https://…         or name another server\n",
    );
  });

  it("says so where run.json is from a server that was killed, exit 5", async () => {
    await using killed = await makeDevProject();
    killed.cli.child.kill("SIGKILL");
    await killed.cli.ended();
    for (const args of [
      ["tail", "chat"],
      ["publish", "chat", "1"],
    ]) {
      const { code, stderr } = await runCli(args, { cwd: killed.project.root });
      expect(code).toBe(5);
      expect(stderr).toMatch(/^error: cannot connect to http:\/\/127.0.0.1:\d+: .*\n {2}fix: chanctl dev/);
    }
  });
});

describe("through a restart of the server", () => {
  it("tail says that it restarts", async () => {
    await using server = await makeDevProject();
    await using tail = new RunningCli(["tail", "jobs"], { cwd: server.project.root });
    await tail.until(({ stderr }) => stderr.includes("connected"));
    await server.cli.end();
    await tail.until(({ stderr }) => stderr.includes("reconnecting: server is restarting\n"));
  });

  it("tail goes on from its last id, and a publish that began before waits and is stored once", async () => {
    await using first = await makeDevProject();
    const { project } = first;
    const at = { cwd: project.root };
    await using tail = new RunningCli(["tail", "chat", "--room", "a", "--json"], at);
    await using publish = new RunningCli(["publish", "chat", "--room", "a", "-"], at);
    await tail.until(({ stderr }) => stderr.includes("connected"));
    publish.child.stdin.write('{"text":1}\n');
    await tail.until(({ lines }) => lines.length === 1);

    first.cli.child.kill("SIGKILL");
    await first.cli.ended();
    publish.child.stdin.end('{"text":2}\n');
    await tail.until(({ stderr }) => stderr.includes("reconnecting"));
    await using second = await startDev(project);
    expect(second.ready.internalUrl).toBe(first.ready.internalUrl);

    expect((await publish.ended()).code).toBe(0);
    await tail.until(({ lines }) => lines.length === 2);
    const ended = await tail.end();
    expect(ended.stdout.match(/"text":\d/g)).toEqual(['"text":1', '"text":2']);
  });
});
