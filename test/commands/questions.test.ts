import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, it } from "vitest";

import { requirePrograms } from "../support/requires.ts";
import { Terminal } from "../support/terminal.ts";
import { runCli } from "./cli.ts";
import { makeDevProject } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

beforeEach((context) => requirePrograms(context, "tmux", "bash"));

/** A command, and the exit code that it ends with once its question has been answered by a key. */
async function codeAfter(
  terminal: Terminal,
  { command, question, key }: { command: string; question: string; key: string },
): Promise<string> {
  await terminal.enter(`clear; "${process.execPath}" "${CLI}" ${command}; echo code $?`);
  await terminal.untilShows(question);
  await terminal.press(key);
  const screen = await terminal.untilShows(/^code \d+$/m);
  return /^code (\d+)$/m.exec(screen)?.[1] ?? "";
}

describe("a question", () => {
  it("answered with no ends `init` with exit 1, and Ctrl-C with 130; nothing is written", async () => {
    await using project = await makeProject();
    await using terminal = await Terminal.open({ cwd: project.root });
    const asked = { command: "init new-chat --no-install", question: "Write this?" };
    expect(await codeAfter(terminal, { ...asked, key: "n" })).toBe("1");
    expect(await codeAfter(terminal, { ...asked, key: "C-c" })).toBe("130");
    await expect(access(join(project.root, "new-chat"))).rejects.toThrow("ENOENT");
  });

  it("answered with no ends `stream delete` with exit 1, and Ctrl-C with 130; nothing is deleted", async () => {
    await using dev = await makeDevProject();
    const cwd = dev.project.root;
    await runCli(["stream", "create", "mine/1"], { cwd });
    await using terminal = await Terminal.open({ cwd });
    const asked = { command: "stream delete mine/1", question: "Delete mine/1" };
    expect(await codeAfter(terminal, { ...asked, key: "n" })).toBe("1");
    expect(await codeAfter(terminal, { ...asked, key: "C-c" })).toBe("130");
    expect((await runCli(["stream", "head", "mine/1"], { cwd })).code).toBe(0);
  });

  it("is not asked at the terminal of a CI: it is told as where there is no terminal", async () => {
    await using dev = await makeDevProject();
    const cwd = dev.project.root;
    await runCli(["stream", "create", "mine/1"], { cwd });
    await using terminal = await Terminal.open({ cwd, env: { CI: "1" } });
    await terminal.enter(`"${process.execPath}" "${CLI}" stream delete mine/1; echo code $?`);
    expect(await terminal.untilShows("code 4")).toContain("fix: chanctl stream delete mine/1 --yes");
    await terminal.enter(`"${process.execPath}" "${CLI}" init new-chat --no-install; echo code $?`);
    expect(await terminal.untilShows("code 0")).not.toContain("Write this?");
  });
});
