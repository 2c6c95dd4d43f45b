import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { mountSmallDisk } from "../support/small-disk.ts";
import { RunningCli, runCli } from "./cli.ts";
import { CHANNELS, makeDevProject } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

/** The words that have standard output in a file. */
const into = (file: string): readonly string[] => ["sh", "-c", `exec "$@" > "${file}"`, "sh"];

const FULL = "error: cannot write to standard output: the disk is full\n  fix: make some room\n";

describe.runIf(process.platform === "linux")("standard output on a full disk", () => {
  it.each([[["--version"]], [["channel", "list"]], [["completion", "bash"]]])(
    "ends %j with one line and exit 1",
    async (args) => {
      await using project = await makeProject(CHANNELS);
      const ended = await runCli(args, { cwd: project.root, words: into("/dev/full") });
      expect(ended).toEqual({ code: 1, stdout: "", stderr: FULL });
    },
  );

  it("ends `tail` so, too, and a publish is published", async () => {
    await using dev = await makeDevProject();
    const cwd = dev.project.root;
    const words = into("/dev/full");
    const published = await runCli(["publish", "chat", "--room", "a", '{"text":1}'], { cwd, words });
    expect(published).toMatchObject({ code: 1, stderr: FULL });
    const tail = ["tail", "chat", "--room", "a", "--since", "start"];
    const followed = await runCli(tail, { cwd, words });
    expect(followed).toMatchObject({ code: 1, stderr: `connected to chat/room=a\n${FULL}` });
    expect((await runCli([...tail, "--no-follow"], { cwd })).stdout).toContain('{"text":1}');
  });

  it("is told of once by `dev`, which goes on and writes again when there is room", async (context) => {
    const disk = mountSmallDisk(context, { megabytes: 1 });
    const ballast = join(disk, "ballast");
    await writeFile(ballast, Buffer.alloc(1_048_576 + 1)).catch(() => {});
    expect((await stat(ballast)).size).toBeGreaterThan(1_000_000);
    await using project = await makeProject(CHANNELS);
    const log = join(disk, "log");
    const args = ["dev", "--no-tls", "--port", "0", "--json"];
    await using dev = new RunningCli(args, { cwd: project.root, words: into(log) });
    await dev.until(({ stderr }) => stderr.includes("fix: make some room"));
    const publish = (): Promise<{ code: number | null }> =>
      runCli(["publish", "chat", "--room", "a", '{"text":1}'], { cwd: project.root });
    expect((await publish()).code).toBe(0);
    await rm(ballast);
    const isWritten = async (): Promise<boolean> =>
      (await readFile(log, "utf8")).includes('"event":"publish"');
    for (; !(await isWritten()); await delay(10)) expect((await publish()).code).toBe(0);
    const { code, stderr } = await dev.end();
    expect(code).toBe(130);
    expect(stderr.match(/cannot write to standard output: the disk is full; going on/g)).toHaveLength(1);
  });
});
