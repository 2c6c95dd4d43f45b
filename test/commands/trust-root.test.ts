import { existsSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { requirePrograms } from "../support/requires.ts";
import { Terminal } from "../support/terminal.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const NOBODY = 65_534;
const AS_NOBODY = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;

/** Somebody at a terminal who is not root, with a `sudo` that says it worked and does nothing: no store is changed. */
async function sitDown(env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "chanctl-root-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const home = join(folder, "home");
  const calls = join(home, "sudo-calls");
  await mkdir(join(folder, "bin"));
  await mkdir(home);
  await writeFile(join(folder, "bin/sudo"), `#!/bin/sh\necho "$@" >> ${calls}\n`);
  for (const path of [folder, join(folder, "bin"), join(folder, "bin/sudo")]) await chmod(path, 0o755);
  await writeFile(join(home, "package.json"), '{"name":"shop"}');
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const path of [home, join(home, "package.json")]) await chown(path, NOBODY, NOBODY);
  const unset = { CI: "", CHANCTL_HOME: "", XDG_CONFIG_HOME: "", XDG_DATA_HOME: "", JAVA_HOME: "" };
  const PATH = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const terminal = await Terminal.open({
    cwd: home,
    env: { ...unset, HOME: home, HISTFILE: "/dev/null", PATH, ...env },
  });
  onTestFinished(() => terminal[Symbol.asyncDispose]());
  const asUser = isRoot ? `${AS_NOBODY} ` : "";
  return {
    home,
    terminal,
    enter: (command: string) =>
      terminal.enter(`clear; ${asUser}${process.execPath} ${CLI} ${command}; echo code $?`),
    sudoCalls: () => readFile(calls, "utf8").catch(() => ""),
    hasChanged: () => existsSync(join(home, ".pki")) || existsSync(calls),
  };
}

const ASKED = "belongs to root. Run this?";

describe("what needs root, on a terminal", () => {
  beforeEach((context) => {
    requirePrograms(context, "tmux", "bash", "certutil", "update-ca-certificates");
    if (process.getuid?.() === 0) requirePrograms(context, "setpriv");
  });

  it("is not run on Ctrl-C, nor is anything after it", async () => {
    const { terminal, enter, hasChanged } = await sitDown();
    await enter("trust --store system,nss");
    await terminal.untilShows(ASKED);
    await terminal.press("C-c");
    expect(await terminal.untilShows("code 130")).not.toMatch(/Chromium|to go/);
    expect(hasChanged()).toBe(false);
  });

  it("ends `dev` on Ctrl-C, too, which asks again the next time", async () => {
    const { home, terminal, enter, hasChanged } = await sitDown();
    for (const _ of ["first", "again"]) {
      await enter("dev --port 0");
      await terminal.untilShows("Trust it?");
      await terminal.press("Enter");
      await terminal.untilShows(ASKED);
      await terminal.press("C-c");
      await terminal.untilShows("code 130");
      expect(hasChanged()).toBe(false);
      expect(existsSync(join(home, ".config/chanctl/trust-answer.json"))).toBe(false);
    }
  });

  it.each([
    ["in CI", "", { CI: "1" }, /fix:sudo/],
    ["with `--json`", "--json", {}, /"fix":"sudo/],
  ])("is asked of nobody %s: the line is shown, exit 4", async (_, flag, env, fix) => {
    const { terminal, enter, hasChanged } = await sitDown(env);
    await enter(`trust --store system ${flag}`);
    const screen = await terminal.untilShows(/code \d/);
    expect(screen).toContain("code 4");
    expect(screen.replaceAll(/\s/g, "")).toMatch(fix);
    expect(screen).not.toContain(ASKED);
    expect(hasChanged()).toBe(false);
  });

  it("is told of with the line to try by hand where it ended well and did nothing", async () => {
    const { terminal, enter, sudoCalls } = await sitDown();
    await enter("trust --store system --yes");
    const screen = (await terminal.untilShows("code 1")).replaceAll(/\s+/g, " ");
    expect(screen).toMatch(
      /✗ system not trusted: what adds it ended well, but the CA is not there .* fix: sudo \S*install .*1 store to go: see fix/,
    );
    expect(await sudoCalls()).toMatch(/install -D .*\n.*update-ca-certificates\n$/);
  });
});
