import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { guardGroup } from "#src/platform/group-guard.ts";
import { isAlive } from "#src/platform/is-alive.ts";
import { spawnGroup } from "#src/platform/process-group.ts";
import { eventually } from "../app/support.ts";

const FIXTURE = fileURLToPath(new URL("./fixtures/guards.mjs", import.meta.url));

/** Runs a process that guards a group of two and tells their ids; the guard's last. */
async function guardApart(command: string): Promise<{ guardian: ReturnType<typeof spawn>; pids: number[] }> {
  const guardian = spawn(process.execPath, [FIXTURE, command], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(guardian.stdout.setEncoding("utf8"), "data")) as [string];
  return { guardian, pids: line.trim().split(" ").map(Number) };
}

describe.skipIf(process.platform === "win32")("a guard", () => {
  test.each([
    ["", "sleep 600 & sleep 600"],
    [", though it ignores SIGTERM", "trap '' TERM; sleep 600 & while :; do sleep 1; done"],
  ])("ends the group of a process that was killed%s, and then itself", async (_, command) => {
    const { guardian, pids } = await guardApart(command);
    expect(pids.map(isAlive)).not.toContain(false);
    guardian.kill("SIGKILL");
    await eventually(() => expect(pids.map(isAlive)).not.toContain(true));
  });

  test("that was released ends nothing", async () => {
    const group = spawnGroup("sleep 600", { cwd: "/", env: { PATH: process.env["PATH"] } });
    const pid = group.pid ?? 0;
    guardGroup(pid).release();
    group.stdin.end();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAlive(pid)).toBe(true);
    group.kill("SIGKILL");
    await once(group, "exit");
  });
});
