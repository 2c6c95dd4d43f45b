import { existsSync, readFileSync, statSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { post } from "../support/post.ts";
import { RunningCli, runCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

const APP = `
import { createServer } from "node:http";
createServer((request, response) => response.end("app")).listen(process.env.PORT);
console.log("\\x1b[32mhello\\x1b[39m \\x9bmore");
`;
const FILES = { ...CHANNELS, "app.js": APP };
const COMMAND = ["dev", "--no-tls", "--app", "node app.js"];

interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

function logOf({ root }: TempProject, name = "dev.log"): LogLine[] {
  const path = join(root, ".chanctl", name);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);
}

function has(project: TempProject, event: string): () => boolean {
  return () => logOf(project).some((line) => line.event === event);
}

describe("`.chanctl/dev.log`", () => {
  it("has what `dev --json` prints, from its start to its end, for its owner alone", async () => {
    await using project = await makeProject(FILES);
    await using dev = await startDev(project, {
      command: [...COMMAND, "--jwt-secret", "s3cret-s3cret-s3cret-s3cret-s3cret-s3cret"],
      env: { CHANCTL_PROT: "1" },
    });
    await dev.cli.until(has(project, "app-ready"));
    await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
    await dev.cli.until(has(project, "publish"));
    await dev.cli.end("SIGTERM");

    const lines = logOf(project);
    expect(lines[0]).toMatchObject({
      event: "start",
      pid: dev.cli.child.pid,
      version: expect.stringMatching(/^\d+\.\d+/),
      command: expect.stringContaining("--jwt-secret masked"),
    });
    expect(lines[1]).toMatchObject({ event: "mistyped-variable", level: "warn" });
    expect(lines).toContainEqual(dev.ready);
    expect(lines).toContainEqual(expect.objectContaining({ event: "app-output", text: "hello more" }));
    expect(lines.at(-2)).toMatchObject({ event: "stopping", cause: "SIGTERM" });
    expect(lines.at(-1)).toMatchObject({ event: "end", cause: "SIGTERM" });
    // Each of the lines on standard output, but for when it was printed.
    const withoutTime = (line: LogLine): LogLine => ({ ...line, time: 0 });
    const printed = dev.cli.lines.map((line) => withoutTime(JSON.parse(line) as LogLine));
    expect(lines.map(withoutTime)).toEqual(expect.arrayContaining(printed));

    const path = join(project.root, ".chanctl", "dev.log");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "utf8")).not.toMatch(/s3cret|[\u001B\u007F-\u009F]/); // eslint-disable-line no-control-regex
  });

  it("sums up what comes a thousand times a second, and counts it all", async () => {
    await using project = await makeProject(FILES);
    await using dev = await startDev(project);
    const body = { type: "message", data: { text: "hi" } };
    for (let round = 0; round < 10; round += 1)
      await Promise.all(Array.from({ length: 20 }, () => post(dev.ready, "chat?room=a", { body })));
    await dev.cli.end();
    const publishes = logOf(project).filter(({ event }) => event === "publish");
    const counted = publishes.map(({ count, messages = 1 }) => Number(count ?? messages));
    expect(counted.reduce((total, count) => total + count, 0)).toBe(200);
    expect(publishes.at(-1)).toMatchObject({ path: "chat/room=a", count: expect.any(Number) });
    expect(dev.cli.lines.filter((line) => line.includes('"publish"'))).toHaveLength(200);
  });

  it("says why there is no more: who read the output has gone", async () => {
    await using project = await makeProject(FILES);
    await using dev = await startDev(project, { command: COMMAND });
    await dev.cli.until(has(project, "app-ready"));
    dev.cli.child.stdout.destroy();
    await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
    await dev.cli.ended();
    expect(logOf(project).at(-1)).toMatchObject({ event: "end", cause: "output-closed" });
    expect(logOf(project).some(({ event }) => event === "publish")).toBe(true);
  });

  it("has the stack of what ended it", async () => {
    await using project = await makeProject(FILES);
    const plant = `process.on("SIGUSR2", () => { throw new Error("planted") })`;
    await using dev = await startDev(project, {
      command: COMMAND,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(plant)}` },
    });
    await dev.cli.until(has(project, "app-ready"));
    dev.cli.child.kill("SIGUSR2");
    await dev.cli.ended();
    const [crash, end] = logOf(project).slice(-2);
    expect(crash).toMatchObject({ event: "crash", message: expect.stringMatching(/^Error: planted\n +at /) });
    expect(end).toMatchObject({ event: "end", exitCode: expect.any(Number) });
  });

  it("says that an end was not waited for", async () => {
    await using project = await makeProject({
      ...CHANNELS,
      "app.js": `process.on("SIGTERM", () => {}); process.on("SIGINT", () => {});\n${APP}`,
    });
    await using dev = await startDev(project, { command: COMMAND });
    await dev.cli.until(has(project, "app-ready"));
    dev.cli.child.kill("SIGTERM");
    await dev.cli.until(has(project, "stopping"));
    while (dev.cli.child.exitCode === null && dev.cli.child.signalCode === null) {
      dev.cli.child.kill("SIGTERM"); // a second one that comes too soon is taken for the first
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(logOf(project).at(-1)).toMatchObject({ event: "end", cause: "SIGTERM", exitCode: 143 });
  });

  it("is kept until the run after the next, whatever does not start meanwhile", async () => {
    await using project = await makeProject(FILES);
    const run = async (): Promise<unknown> => {
      await using dev = await startDev(project);
      await dev.cli.until(() => logOf(project)[0]?.["pid"] === dev.ready.pid);
      const second = await runCli(["dev", "--no-tls", "--port", "0"], { cwd: project.root });
      expect(second.stderr).toContain("in use");
      await dev.cli.end();
      return dev.ready.pid;
    };
    const first = await run();
    const second = await run();
    expect(logOf(project, "dev.log.1")[0]).toMatchObject({ event: "start", pid: first });
    expect(logOf(project, "dev.log.1").at(-1)).toMatchObject({ event: "end" });
    expect(logOf(project)[0]).toMatchObject({ event: "start", pid: second });
  });

  it("is told of once where it cannot be written, and hinders nothing", async () => {
    await using project = await makeProject({
      ...FILES,
      ".chanctl/dev.log.1/full": "",
      ".chanctl/dev.log": "",
    });
    await chmod(join(project.root, ".chanctl"), 0o700);
    await using dev = await startDev(project, { command: COMMAND });
    const told = (): string[] => dev.cli.lines.filter((line) => line.includes('"log-file"'));
    await dev.cli.until(() => told().length > 0);
    await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
    await dev.cli.until(({ stdout }) => stdout.includes('"publish"'));
    expect((await dev.cli.end()).code).toBe(130);
    expect(told()).toEqual([expect.stringContaining("dev.log cannot be used")]);
    expect(JSON.parse(told()[0] ?? "")).toMatchObject({ level: "warn", hint: expect.any(String) });
  });

  it("is named by `doctor` where the app is down", async () => {
    await using project = await makeProject({ ...CHANNELS, "app.js": "process.exit(3)" });
    await using dev = await startDev(project, { command: COMMAND });
    await dev.cli.until(has(project, "app-exit"));
    const { stdout } = await runCli(["doctor"], {
      cwd: project.root,
      env: { CHANCTL_HOME: `${project.root}/home` },
    });
    expect(stdout).toContain(`look at what it wrote: ${join(".chanctl", "dev.log")}`);
  });

  it("is not written by `serve`, whose output belongs to the service manager", async () => {
    await using project = await makeProject(FILES);
    await using serve = new RunningCli(["serve", "--port", "0", "--json", "--app", "node app.js"], {
      cwd: project.root,
    });
    await serve.until(({ stdout }) => stdout.includes('"app-ready"'));
    await serve.end();
    expect(existsSync(join(project.root, ".chanctl", "dev.log"))).toBe(false);
  });
});
