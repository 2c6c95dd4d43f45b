import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { startBreakingProxy } from "../support/breaking-proxy.ts";
import { RunningCli } from "./cli.ts";
import { makeStreamProject } from "./stream-project.ts";
import type { StreamProject } from "./stream-project.ts";

let project: StreamProject;

beforeEach(async () => {
  project = await makeStreamProject();
});

afterEach(() => project[Symbol.asyncDispose]());

const running = (...args: readonly string[]): RunningCli =>
  new RunningCli(["stream", ...args], { cwd: project.root });

const create = async (name: string, type: string): Promise<void> => {
  expect((await project.stream(["create", name, "--type", type])).code).toBe(0);
};

/** What is stored, read from the server itself. */
const stored = async (name: string): Promise<string> => (await project.stream(["read", name])).stdout;

/** Writes lines one by one, each once the one before it is stored. */
async function writeLines(
  writer: RunningCli,
  { name, from, to }: { name: string; from: number; to: number },
): Promise<void> {
  for (let n = from; n < to; n += 1) {
    writer.child.stdin.write(`${n}\n`);
    await expect.poll(() => stored(name), { timeout: 20_000, interval: 5 }).toBe(numbers(0, n + 1));
  }
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `${from + n}\n`).join("");

describe("on a line that breaks off every second answer", () => {
  it("append stores every line once", async () => {
    await using proxy = await startBreakingProxy(project.server.url);
    await create("a", "json");
    await using writer = running("append", "a", "-", "--url", proxy.url);
    await writeLines(writer, { name: "a", from: 0, to: 8 });
    writer.child.stdin.end();
    const { code, stdout, stderr } = await writer.ended();
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/_0{15}8\n$/) });
    expect(stderr).toMatch(/^retrying: cannot connect to http:/);
    expect(await stored("a")).toBe(numbers(0, 8));
    expect(proxy.broken["POST"]).toBeGreaterThan(2);
  });

  it("read prints every byte once", async () => {
    await using proxy = await startBreakingProxy(project.server.url);
    await create("b", "text");
    const text = Array.from({ length: 500_000 }, (_, n) => `${n} `).join("");
    expect((await project.stream(["append", "b", "-"], text)).code).toBe(0);
    for (const mode of [[], ["--live"]]) {
      if (mode.length > 0) await project.stream(["close", "b"]);
      const { code, stdout } = await running("read", "b", ...mode, "--url", proxy.url).ended();
      expect({ mode, code, isSame: stdout === text }).toEqual({ mode, code: 0, isSame: true });
    }
    expect(proxy.broken["GET"]).toBeGreaterThan(2);
  });
});

describe("on a line that breaks off between an event and where it ends", () => {
  it("read --sse prints every message once", async () => {
    await using proxy = await startBreakingProxy(project.server.url);
    await create("f", "json");
    await using reader = running("read", "f", "--sse", "--url", proxy.url);
    for (let n = 0; n < 3; n += 1) {
      await project.stream(["append", "f", String(n)]);
      await reader.until(({ lines }) => lines.length > n);
    }
    await project.stream(["close", "f"]);
    expect(await reader.ended()).toMatchObject({ code: 0, stdout: numbers(0, 3) });
    expect(proxy.broken["GET"]).toBe(1);
  });
});

describe("through `kill -9` and a restart of the server", () => {
  it("append and live reads go on where they were: nothing is lost, nothing twice", async () => {
    await create("c", "json");
    await using writer = running("append", "c", "-", "--close");
    await using polls = running("read", "c", "--live");
    await using events = running("read", "c", "--sse");
    await writeLines(writer, { name: "c", from: 0, to: 5 });
    await polls.until(({ lines }) => lines.length === 5);
    await events.until(({ lines }) => lines.length === 5);
    await project.kill();
    writer.child.stdin.write(numbers(5, 1_000));
    await writer.until(({ stderr }) => stderr.includes("retrying: "));
    await polls.until(({ stderr }) => stderr.includes("reconnecting: "));
    await events.until(({ stderr }) => stderr.includes("reconnecting: "));
    await project.restart();
    writer.child.stdin.end(numbers(1_000, 1_200));
    for (const cli of [polls, events]) {
      const { code, stdout, stderr } = await cli.ended();
      expect({ code, stdout }).toEqual({ code: 0, stdout: numbers(0, 1_200) });
      expect(stderr).toMatch(/connected again\nc is closed\n$/);
    }
    expect((await writer.ended()).code).toBe(0);
    expect(await stored("c")).toBe(numbers(0, 1_200));
  });

  it("append gives up after --retry-for, exit 5, and says what is stored", async () => {
    await create("d", "json");
    await using writer = running("append", "d", "-", "--retry-for", "300ms");
    await writeLines(writer, { name: "d", from: 0, to: 2 });
    await project.kill();
    writer.child.stdin.write("2\n");
    const { code, stdout, stderr } = await writer.ended();
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toMatch(/retrying: .*\neverything up to \d+_0{15}2 is stored\nerror: cannot connect to /);
  });

  it("append ends when it is refused, though its input goes on", async () => {
    await create("e", "json");
    await using writer = running("append", "e", "-");
    await writeLines(writer, { name: "e", from: 0, to: 1 });
    await project.stream(["close", "e"]);
    writer.child.stdin.write("1\n");
    const { code, stderr } = await writer.ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^everything up to .* is stored\nerror: the stream `e` is closed\n {2}fix: .*\n$/);
  });
});
