import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { loadAuthority } from "#src/certs/authority.ts";

import { requirePrograms } from "../support/requires.ts";
import { privateSystem } from "../support/private-system.ts";
import { PROMPT, Terminal } from "../support/terminal.ts";
import { makeProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** Somebody at a terminal, with an empty home folder. */
async function sitDown(env: Readonly<Record<string, string>> = {}) {
  const project = await makeProject({ "channels/news.json": '{"public":true}' });
  onTestFinished(() => project[Symbol.asyncDispose]());
  const home = join(project.root, "person");
  const terminal = await Terminal.open({
    cwd: project.root,
    env: {
      HOME: home,
      CHANCTL_HOME: "",
      XDG_CONFIG_HOME: "",
      XDG_DATA_HOME: "",
      JAVA_HOME: "",
      HISTFILE: "/dev/null",
      ...env,
    },
  });
  onTestFinished(() => terminal[Symbol.asyncDispose]());
  const dev = async (flags = ""): Promise<void> => {
    await terminal.enter("clear");
    await terminal.until((screen) => screen.trim() === PROMPT); // what the last run left is no answer
    await terminal.enter(`${process.execPath} ${CLI} dev --port 0 ${flags}`);
  };
  /** Ends what runs, and waits for the prompt. */
  const stop = async (): Promise<void> => {
    await terminal.press("C-c");
    await terminal.until((screen) => /ready>\s*$/.test(screen));
  };
  return { home, terminal, dev, stop };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("chanctl dev, for a person whose browsers do not trust the CA", () => {
  beforeEach((context) => requirePrograms(context, "tmux", "bash", "certutil"));

  it("says what would be added where and how to undo it, and takes a no for good", async () => {
    const { home, terminal, dev, stop } = await sitDown();
    await dev();
    const asked = await terminal.untilShows("Trust it?");
    expect(asked).toContain("~/.pki/nssdb");
    expect(asked).toContain("stays on this machine");
    expect(asked).toContain("chanctl trust --uninstall");
    await terminal.press("n");
    expect(await terminal.untilShows(/ CA +\S/)).toMatch(/CA +not trusted yet/);
    expect(await isThere(join(home, ".pki"))).toBe(false);
    const answer = JSON.parse(await readFile(join(home, ".config/chanctl/trust-answer.json"), "utf8"));
    expect(answer).toEqual({ sha256: expect.stringMatching(/^[0-9A-F]{64}$/), answer: "no" });
    await stop();
    await dev();
    expect(await terminal.untilShows(/ CA +\S/)).not.toContain("Trust it?");
    await stop();
  });

  it("adds the CA on a yes, proves it, and says in the banner who trusts it", async (context) => {
    const system = await privateSystem(context);
    const { terminal, stop } = await sitDown();
    await terminal.enter(`clear; ${system.toLine(`${process.execPath} ${CLI} dev --port 0`)}`);
    await terminal.untilShows("Trust it?");
    await terminal.press("Enter");
    const screen = await terminal.untilShows(/ CA +/);
    expect(screen).toMatch(
      /✓ system +trusted, verified by handshake[^]*✓ Chromium +trusted, verified by handshake/,
    );
    expect(screen).toMatch(/ CA +trusted by: system, +Chromium\n/);
    await stop();
  });

  it.each([
    ["with `--no-trust`", "--no-trust", {}],
    ["in CI", "", { CI: "true" }],
  ])("does not ask %s", async (_, flags, env) => {
    const { home, terminal, dev, stop } = await sitDown(env);
    await dev(flags);
    expect(await terminal.untilShows(/ CA +\S/)).not.toContain("Trust it?");
    expect(await isThere(join(home, ".config/chanctl/trust-answer.json"))).toBe(false);
    await stop();
  });

  it("says at its start that the CA ends in some weeks, and what to do", async () => {
    const { home, terminal, dev, stop } = await sitDown();
    const soon = 10 * 86_400_000;
    await loadAuthority({ home: join(home, ".config/chanctl"), now: Date.now() - 3_650 * 86_400_000 + soon });
    await dev("--no-trust");
    const words = (await terminal.untilShows(/ CA +\S/)).replaceAll(/\s+/g, " ");
    const day = /your local CA ends on (\S+), /.exec(words)?.[1] ?? "";
    expect(Date.parse(day) - Date.now()).toBeLessThanOrEqual(soon);
    expect(words).toMatch(/fix: chanctl trust --uninstall .* rm -f "\S+ca\.pem" \\? ?"\S+ca-key\.pem"/);
    await stop();
  });

  it("ends on Ctrl-C at the question, and asks again the next time", async () => {
    const { home, terminal, dev, stop } = await sitDown();
    await dev();
    await terminal.untilShows("Trust it?");
    await stop();
    await terminal.enter("echo code $?");
    await terminal.untilShows("code 130");
    expect(await isThere(join(home, ".config/chanctl/trust-answer.json"))).toBe(false);
    await dev();
    await terminal.untilShows("Trust it?");
    await stop();
  });
});
