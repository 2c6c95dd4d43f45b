import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { loadAuthority } from "#src/certs/authority.ts";

import { requirePrograms } from "../support/requires.ts";
import { PROMPT, Terminal } from "../support/terminal.ts";
import { makeProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const COLUMNS = 60;

beforeEach((context) => requirePrograms(context, "tmux", "bash"));

it("`trust --status` leaves no line for a terminal of 60 columns to break", async () => {
  await using project = await makeProject();
  const home = join(project.root, "home");
  await loadAuthority({ home, now: Date.now() });
  await using terminal = await Terminal.open({
    cwd: project.root,
    columns: COLUMNS,
    env: {
      HOME: project.root,
      HISTFILE: "/dev/null",
      CHANCTL_HOME: home,
      CHANCTL: CLI,
      NODE: process.execPath,
    },
  });
  await terminal.enter('clear; "$NODE" "$CHANCTL" trust --status');
  await terminal.until((screen) => screen.includes("chanctl local CA") && screen.trimEnd().endsWith(PROMPT));
  const lines = (await terminal.history()).split("\n"); // what the terminal has broken is joined again
  expect(lines.filter((line) => line.length > COLUMNS && !line.includes("clear;"))).toEqual([]);
});

it("`dev` breaks a fix where what it is for begins", async () => {
  await using project = await makeProject();
  await using terminal = await Terminal.open({
    cwd: project.root,
    columns: COLUMNS,
    env: { CHANCTL_HOME: join(project.root, "home"), CHANCTL: CLI, NODE: process.execPath },
  });
  await terminal.enter('clear; "$NODE" "$CHANCTL" dev --no-tls --port 0 --app no-such-program');
  await terminal.untilLastLine("✗ app does not start");
  expect(await terminal.history()).toContain(
    [
      "  fix: npm install",
      "           if its packages are not there yet; else name",
      "           another command with --app",
    ].join("\n"),
  );
  await terminal.press("C-c");
  await terminal.untilLastLine(PROMPT);
});
