import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { loadAuthority } from "#src/certs/authority.ts";

import { requirePrograms } from "../support/requires.ts";
import { PROMPT, Terminal } from "../support/terminal.ts";
import { makeStreamProject } from "./stream-project.ts";
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

describe("stream list", () => {
  const small = ["create", "jobs/42", "--type", "text", "--data", "12345"];
  const large = ["create", "answers/of-a-long/name-7", "--type", "json", "--closed"];

  it.each([
    [
      100,
      [
        "PATH                      TYPE              SIZE  STATE",
        "answers/of-a-long/name-7  application/json  0 B   closed",
        "jobs/42                   text/plain        5 B   open",
      ],
    ],
    [
      COLUMNS - 10,
      [
        "answers/of-a-long/name-7",
        "  type   application/json",
        "  size   0 B",
        "  state  closed",
        "",
        "jobs/42",
        "  type   text/plain",
        "  size   5 B",
        "  state  open",
      ],
    ],
  ])("is a table that fits a terminal of %i columns", async (columns, table) => {
    await using project = await makeStreamProject();
    for (const args of [small, large]) expect(await project.stream(args)).toMatchObject({ code: 0 });
    const env = { CHANCTL: CLI, NODE: process.execPath };
    await using terminal = await Terminal.open({ cwd: project.root, columns, env });
    await terminal.enter('clear; "$NODE" "$CHANCTL" stream list');
    const screen = await terminal.until((text) => text.includes("open") && text.trimEnd().endsWith(PROMPT));
    expect(screen).toContain(`${table.join("\n")}\n${PROMPT}`);
  });

  it("is a line a stream with tabs between in a pipe", async () => {
    await using project = await makeStreamProject();
    expect(await project.stream(small)).toMatchObject({ code: 0 });
    expect((await project.stream(["list"])).stdout).toBe("jobs/42\ttext/plain\t5 B\topen\n");
  });
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
