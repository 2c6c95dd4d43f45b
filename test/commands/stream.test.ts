import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { DurableStreamTestServer } from "@durable-streams/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { RunningCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";
import { makeStreamProject } from "./stream-project.ts";
import type { StreamProject } from "./stream-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const OFFSET = /^\d{16}_\d{16}\n$/;

let project: StreamProject;

beforeAll(async () => {
  project = await makeStreamProject();
});

afterAll(() => project[Symbol.asyncDispose]());

const stream = (args: readonly string[], input?: string): Promise<CliResult> => project.stream(args, input);
const ok = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await stream(args, input);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
};
const running = (...args: readonly string[]): RunningCli =>
  new RunningCli(["stream", ...args], { cwd: project.root });

describe("chanctl stream create", () => {
  it("prints the tail, and is content with one that is there as asked for", async () => {
    expect(await ok(["create", "made/1", "--type", "text", "--data", "hi"])).toMatch(OFFSET);
    const again = await stream(["create", "made/1", "--type", "text"]);
    expect(again).toMatchObject({ code: 0, stderr: "it is there already, as asked for\n" });
    const other = await stream(["create", "made/1", "--type", "json"]);
    expect(other).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^error: .*made\/1/) });
  });

  it("takes type, lifetime, content and closure", async () => {
    const json = await ok(["create", "made/2", "--type", "image/png", "--ttl", "2h", "--closed", "--json"]);
    expect(JSON.parse(json)).toEqual({
      path: "made/2",
      created: true,
      contentType: "image/png",
      nextOffset: expect.any(String),
      closed: true,
      ttlSecs: 7_200,
    });
    await ok(["create", "made/3", "--expires-at", "2999-01-01"]);
    expect(await ok(["head", "made/3"])).toContain("expires-at: 2999-01-01T00:00:00.000Z\n");
    await ok(["create", "made/4", "--type", "json", "--data", "-"], '[{"n":1.0},2]');
    expect(await ok(["read", "made/4"])).toBe('{"n":1.0}\n2\n');
  });
});

describe("chanctl stream append and read", () => {
  it("keeps every byte of any content, through a file and through pipes", async () => {
    const bytes = randomBytes(3_500_000);
    await writeFile(join(project.root, "bytes"), bytes);
    await ok(["create", "bytes/1"]);
    expect(await ok(["append", "bytes/1", "@bytes"])).toMatch(/_0000000003500000\n$/);
    const { code, stdout } = await runInShell(`chanctl stream read bytes/1 > copy && cmp bytes copy`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    await ok(["create", "bytes/2"]);
    await runInShell(`chanctl stream read bytes/1 | chanctl stream append bytes/2 - --close`);
    await runInShell(`chanctl stream read bytes/2 --live > copy2`);
    expect(bytes.equals(await readFile(join(project.root, "copy2")))).toBe(true);
  });

  it("appends a text as it is, without a line break of its own", async () => {
    await ok(["create", "text/1", "--type", "text"]);
    for (const token of ["Hello", " wor", "ld\r\n", " 😀"]) await ok(["append", "text/1", token]);
    expect(await ok(["read", "text/1"])).toBe("Hello world\r\n 😀");
  });

  it("makes one message of each line in a JSON stream, as it was written", async () => {
    await ok(["create", "json/1", "--type", "json"]);
    const input = '{"n":12345678901234567890.10}\n\n[1,2]\r\n  "text"\n{"n" : 1}';
    expect(JSON.parse(await ok(["append", "json/1", "-", "--json"], input))).toEqual({
      path: "json/1",
      nextOffset: expect.stringMatching(/_0000000000000004$/),
      appends: 1,
      closed: false,
    });
    await ok(["append", "json/1", '{\n  "lines": [1,\n 2]\n}']);
    expect(await ok(["read", "json/1"])).toBe(
      '{"n":12345678901234567890.10}\n[1,2]\n"text"\n{"n" : 1}\n{   "lines": [1,  2] }\n',
    );
  });

  it("names the line that is no JSON; what came before it is stored", async () => {
    await ok(["create", "json/2", "--type", "json"]);
    const { code, stderr } = await stream(["append", "json/2", "-"], "1\n2\nthree\n4\n");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^everything up to \d+_0{15}2 is stored\nerror: line 3 of the input must be JSON/);
    expect(await ok(["read", "json/2"])).toBe("1\n2\n");
  });

  it("appends a slow input as it comes, and a live reader gets it", async () => {
    await ok(["create", "live/1", "--type", "text"]);
    await using reader = running("read", "live/1", "--live");
    await using writer = running("append", "live/1", "-", "--close");
    writer.child.stdin.write(" one");
    await reader.until(({ stdout }) => stdout === " one");
    writer.child.stdin.write(Buffer.from("😀").subarray(0, 2));
    writer.child.stdin.end(Buffer.from("😀").subarray(2));
    expect(await writer.ended()).toMatchObject({ code: 0, stdout: expect.stringMatching(OFFSET) });
    expect(await reader.ended()).toEqual({ code: 0, stdout: " one😀", stderr: "live/1 is closed\n" });
  });

  it("gives events the same text, and offsets with --json", async () => {
    await ok(["create", "live/2", "--type", "text", "--data", " a\n"]);
    await using reader = running("read", "live/2", "--sse", "--json");
    await reader.until(({ lines }) => lines.length === 1);
    await ok(["append", "live/2", "  b\n\nc", "--close"]);
    const { code, stdout } = await reader.ended();
    expect(code).toBe(0);
    const chunks = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { offset: string; text: string });
    expect(chunks.map(({ text }) => text).join("")).toBe(" a\n  b\n\nc");
    expect(await ok(["read", "live/2", "--offset", chunks[0]?.offset ?? ""])).toBe("  b\n\nc");
  });

  it.each([["--long-poll"], ["--sse"]])(
    "follows JSON and bytes with %s until they are closed",
    async (mode) => {
      const [json, bytes] = [`follow/json${mode}`, `follow/bytes${mode}`];
      await ok(["create", json, "--type", "json"]);
      await ok(["create", bytes, "--type", "bytes"]);
      await using messages = running("read", json, mode);
      await using octets = running("read", bytes, mode, "--json");
      await ok(["append", json, "-"], "1.0\n[2]\n");
      await messages.until(({ lines }) => lines.length === 2);
      await ok(["append", bytes, "-"], "\u0000ÿ");
      await octets.until(({ lines }) => lines.length === 1);
      await ok(["close", json]);
      await ok(["close", bytes]);
      expect(await messages.ended()).toMatchObject({ code: 0, stdout: "1.0\n[2]\n" });
      const { stdout } = await octets.ended();
      expect(JSON.parse(stdout)).toMatchObject({ base64: Buffer.from("\u0000ÿ").toString("base64") });
    },
  );

  it("reads nothing from now on, and only what comes with --live", async () => {
    await ok(["create", "now/1", "--type", "text", "--data", "before"]);
    expect(await ok(["read", "now/1", "--offset", "now"])).toBe("");
    await using reader = running("read", "now/1", "--offset", "now", "--live");
    // It stands at the tail once a second reader, begun later, does: the first request is all that it takes.
    await reader.until(({ child }) => child.pid !== undefined);
    await waitForPolls();
    await ok(["append", "now/1", "after", "--close"]);
    expect((await reader.ended()).stdout).toBe("after");
  });

  it("ends quietly when its reader goes away", async () => {
    await ok(["create", "pipe/1", "--type", "json"]);
    await ok(["append", "pipe/1", "-"], Array.from({ length: 50_000 }, (_, n) => `${n}\n`).join(""));
    const { stdout, stderr } = await runInShell(`chanctl stream read pipe/1 --live | head -n 2`);
    expect({ stdout, stderr }).toEqual({ stdout: "0\n1\n", stderr: "" });
  });

  it("ends a live read at Ctrl-C, exit 130", async () => {
    await ok(["create", "int/1", "--type", "text", "--data", "x"]);
    await using reader = running("read", "int/1", "--live");
    await reader.until(({ stdout }) => stdout === "x");
    expect(await reader.end("SIGINT")).toEqual({ code: 130, stdout: "x", stderr: "" });
  });

  it("ends a live read when the stream is deleted, exit 1", async () => {
    await ok(["create", "gone/1", "--type", "text", "--data", "x"]);
    await using reader = running("read", "gone/1", "--live");
    await reader.until(({ stdout }) => stdout === "x");
    await stream(["delete", "gone/1", "--yes"]);
    expect(await reader.ended()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: there is no/),
    });
  });
});

const FIX = "  fix: chanctl stream create <path>     begins another; what is closed stays as it is";

describe("chanctl stream head, close, delete, fork and list", () => {
  it("shows a stream one field a line, or as JSON, which is no use of it", async () => {
    await ok(["create", "head/1", "--type", "text", "--data", "abc", "--ttl", "90"]);
    expect(await ok(["head", "head/1"])).toMatch(
      /^path: head\/1\ncontent-type: text\/plain\nnext-offset: \d+_0{15}3\nclosed: false\nttl: 90s\n$/,
    );
    expect(JSON.parse(await ok(["head", "head/1", "--json"]))).toMatchObject({ path: "head/1", ttlSecs: 90 });
  });

  it("closes once and again, and nothing can be appended after", async () => {
    await ok(["create", "close/1", "--type", "text"]);
    expect(await ok(["close", "close/1"])).toMatch(OFFSET);
    expect(JSON.parse(await ok(["close", "close/1", "--json"]))).toMatchObject({ closed: true });
    const { code, stderr } = await stream(["append", "close/1", "x"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: the stream \`close/1\` is closed\n${FIX}\n`,
    });
  });

  it("deletes only with --yes where nobody can be asked, exit 4", async () => {
    await ok(["create", "delete/1"]);
    expect(await stream(["delete", "delete/1"])).toEqual({
      code: 4,
      stdout: "",
      stderr:
        "error: deleting `delete/1` cannot be undone, and there is no terminal to ask\n  fix: chanctl stream delete delete/1 --yes\n",
    });
    expect(JSON.parse((await stream(["delete", "delete/1", "--yes", "--json"])).stdout)).toMatchObject({
      deleted: true,
    });
    expect((await stream(["head", "delete/1"])).code).toBe(1);
  });

  it("forks at the tail, at an offset and in the middle of an append", async () => {
    await ok(["create", "fork/0", "--type", "text"]);
    const at = (await ok(["append", "fork/0", "one"])).trim();
    await ok(["append", "fork/0", "two"]);
    await ok(["fork", "fork/0", "fork/1"]);
    await ok(["fork", "fork/0", "fork/2", "--at", at]);
    await ok(["fork", "fork/0", "fork/3", "--at", at, "--sub-offset", "1", "--ttl", "1h"]);
    expect(await ok(["read", "fork/1"])).toBe("onetwo");
    expect(await ok(["read", "fork/2"])).toBe("one");
    await ok(["append", "fork/3", "!"]);
    expect(await ok(["read", "fork/3"])).toBe("onet!");
    const beyond = await stream(["fork", "fork/0", "fork/4", "--at", at, "--sub-offset", "9"]);
    expect(beyond).toMatchObject({ code: 1, stderr: expect.stringContaining("Stream-Fork-Sub-Offset") });
  });

  it("lists by pattern, page after page, each stream once", async () => {
    const names = Array.from({ length: 1_203 }, (_, n) => `list/many/${String(n).padStart(4, "0")}`);
    for (let from = 0; from < names.length; from += 100) {
      await Promise.all(
        names
          .slice(from, from + 100)
          .map((name) => fetch(`${project.server.url}/ds/${name}`, { method: "PUT" })),
      );
    }
    await ok(["create", "list/a b", "--type", "text", "--data", "12345"]);
    await ok(["create", "list/x=1/y", "--closed"]);
    const paths = async (...args: string[]): Promise<string[]> =>
      (await ok(["list", ...args]))
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split("\t")[0] ?? "");
    expect(await paths("list/many")).toEqual(names);
    expect(await paths("list/*")).toEqual(["list/a%20b"]);
    expect(await paths("list/x=1/**")).toEqual(["list/x=1/y"]);
    expect(await paths("list/**/0*7")).toEqual(names.filter((name) => /\/0.*7$/.test(name)));
    expect(await stream(["list", "list/man"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "there is no raw stream like list/man; those of channels are not listed here\n",
    });
    expect(await ok(["list", "list/a b"])).toBe("list/a%20b\ttext/plain\t5 B\topen\n");
    expect(JSON.parse(await ok(["list", "list/x=1", "--json"]))).toMatchObject({
      path: "list/x=1/y",
      contentType: "application/octet-stream",
      closed: true,
    });
    expect(await ok(["read", "list/a%20b"])).toBe("12345");
    expect(await ok(["read", "list/a b"])).toBe("12345");
  });
});

describe("chanctl stream, when something is wrong", () => {
  beforeAll(async () => {
    await ok(["create", "wrong/jobs", "--type", "text"]);
  });

  it.each([
    [["raed", "x"], 2, "unknown command `raed`", "did you mean `read`?"],
    [["read"], 2, "missing required argument `path`", "chanctl stream read --help"],
    [["read", "wrong/jbos"], 1, "there is no stream `wrong/jbos`", "did you mean `wrong/jobs`?"],
    [
      ["head", "nothing/near"],
      1,
      "there is no stream `nothing/near`",
      "chanctl stream create nothing/near     makes it",
    ],
    [
      ["read", "a//b"],
      2,
      "the stream's path must be segments joined by `/`, got `a//b`",
      "give `a/b`: no segment is empty, `.` or `..`",
    ],
    [
      ["read", "../b"],
      2,
      "the stream's path must be segments joined by `/`, got `../b`",
      "give `b`: no segment is empty, `.` or `..`",
    ],
    [
      ["create", "x", "--type", "jsn"],
      2,
      "`--type` must be json, text, bytes or a media type such as `image/png`, got `jsn`",
      "--type json",
    ],
    [
      ["create", "x", "--ttl", "1.5s"],
      2,
      "`--ttl` must be whole seconds such as `24h`, got `1.5s`",
      "--ttl 24h",
    ],
    [
      ["create", "x", "--ttl", "1h", "--expires-at", "2999-01-01"],
      2,
      "`--ttl` and `--expires-at` exclude each other",
      "--ttl 24h     from the last use on, or --expires-at for a fixed time",
    ],
    [
      ["append", "wrong/jobs", "x", "--retry-for", "soon"],
      2,
      "`--retry-for` must be a duration such as `1m`, got `soon`",
      "--retry-for 1m",
    ],
    [
      ["read", "wrong/jobs", "--sse", "--long-poll"],
      2,
      "`--sse` and `--long-poll` exclude each other",
      "give one of them",
    ],
    [
      ["fork", "wrong/jobs", "y", "--sub-offset", "1"],
      2,
      "`--sub-offset` needs `--at`, the offset that it counts from",
      "add --at <offset>     such as `append` prints it",
    ],
    [
      ["list", "--url", "http://localhost:1"],
      2,
      "only the project's own server lists its streams, got `--url`",
      "chanctl stream list     in the project's folder, without `--url`",
    ],
    [
      ["list", "--token", "t"],
      2,
      "`--token` is a caller's credential for `--url`, got no `--url`",
      "leave `--token` out: the project's own server is reached with its own token",
    ],
    [
      ["create", "../x"],
      2,
      "the stream's path must be segments joined by `/`, got `../x`",
      "give `x`: no segment is empty, `.` or `..`",
    ],
    [
      ["append", "jobs//%2e/42", "x"],
      2,
      "the stream's path must be segments joined by `/`, got `jobs//%2e/42`",
      "give `jobs/42`: no segment is empty, `.` or `..`",
    ],
    [
      ["list", ".."],
      2,
      "the stream's path must be segments joined by `/`, got `..`",
      "give `jobs/42`: no segment is empty, `.` or `..`",
    ],
    [
      ["read", "http://localhost:1/x", "--url", "http://localhost:1"],
      2,
      "a stream's URL and `--url` exclude each other",
      "give the stream's path below `--url`, or its URL alone",
    ],
    [
      ["read", "wrong/jobs", "--token", "t"],
      2,
      "`--token` is a caller's credential for `--url`, got no `--url`",
      "leave `--token` out: the project's own server is reached with its own token",
    ],
  ])("answers %j with exit %i, what is wrong and a fix", async (args, code, message, fix) => {
    expect(await stream(args)).toEqual({ code, stdout: "", stderr: `error: ${message}\n  fix: ${fix}\n` });
  });

  it("says which offset is none, and which is of another stream", async () => {
    const none = await stream(["read", "wrong/jobs", "--offset", "17"]);
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: `offset` must be .* got `17`/),
    });
    const gone = await stream(["read", "wrong/jobs", "--offset", "0000000000000999_0000000000000000"]);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*\n {2}fix: /) });
  });

  it("says what to start where nothing runs, exit 5", async () => {
    const cli = new RunningCli(["stream", "read", "x"], { cwd: "/" });
    expect(await cli.ended()).toMatchObject({ code: 5, stderr: expect.stringContaining("chanctl dev") });
    const url = ["--url", "http://127.0.0.1:9"];
    expect(await stream(["append", "x", "y", ...url])).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^error: cannot connect to http:\/\/127\.0\.0\.1:9/),
    });
  });

  it.each([["create"], ["append"], ["read"], ["head"], ["close"], ["delete"], ["fork"], ["list"]])(
    "shows an example in the help of %s",
    async (verb) => {
      expect(await ok([verb, "--help"])).toContain(`chanctl stream ${verb}`);
    },
  );
});

describe("chanctl stream --url", () => {
  it("works at a public URL, with the usual mount or a whole URL, and sends the credential", async () => {
    const { url } = project.server;
    await ok(["create", "url/1", "--type", "text", "--url", url, "--token", "t"]);
    await ok(["append", `${url}/ds/url/1`, "hi", "--token", "t"]);
    expect(await ok(["read", "url/1", "--url", `${url}/ds/`])).toBe("hi");
    expect(await ok(["read", `${url}/ds/url/1?ignored=1`])).toBe("hi");
  });

  it("works against the protocol's own server", async () => {
    const reference = new DurableStreamTestServer({ port: 0 });
    try {
      const at = ["--url", `${await reference.start()}/v1/stream`];
      await ok(["create", "theirs/1", "--type", "json", ...at]);
      await using reader = running("read", "theirs/1", "--live", ...at);
      await ok(["append", "theirs/1", "-", "--close", ...at], '{"n":1}\n[2]\n');
      expect((await reader.ended()).stdout).toBe('{"n":1}\n[2]\n');
      await ok(["create", "theirs/2", "--type", "text", ...at]);
      await using events = running("read", "theirs/2", "--sse", ...at);
      await ok(["append", "theirs/2", "some text", "--close", ...at]);
      expect((await events.ended()).stdout).toBe("some text");
      await ok(["fork", "theirs/2", "theirs/3", ...at]);
      expect(await ok(["read", "theirs/3", ...at])).toBe("some text");
      expect((await stream(["head", "theirs/4", ...at])).stderr).toMatch(/^error: .*404/);
    } finally {
      await reference.stop();
    }
  });
});

/** A live read that has waited at the tail for a whole long-poll has certainly begun. */
async function waitForPolls(): Promise<void> {
  await ok(["create", "polled", "--type", "text"]);
  const { headers } = await fetch(`${project.server.url}/ds/polled?offset=now`);
  const offset = headers.get("stream-next-offset") ?? "";
  await fetch(`${project.server.url}/ds/polled?live=long-poll&offset=${offset}`);
}

/** Runs a line of bash in the project, in which `chanctl` is this checkout's; its code is the first one that failed. */
async function runInShell(line: string): Promise<CliResult> {
  const define = `set -o pipefail; chanctl() { "${process.execPath}" "${CLI}" "$@"; };`;
  const child = spawn("bash", ["-c", `${define} ${line}`], { cwd: project.root });
  child.stdin.end();
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}
