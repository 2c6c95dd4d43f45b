import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeEach, describe, expect, it } from "vitest";

import { isAlive } from "#src/platform/is-alive.ts";
import { channelText } from "../support/channel-text.ts";
import { requirePrograms } from "../support/requires.ts";
import { PROMPT, Terminal } from "../support/terminal.ts";
import { runCli } from "./cli.ts";
import { CHANNELS } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

const APP = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/die") process.exit(3);
  response.end("app");
}).listen(process.env.PORT);
console.log("hello from the app");
`;

const MODES = "icrnl opost isig icanon echo";

interface DevTerminal extends AsyncDisposable {
  readonly project: TempProject;
  readonly terminal: Terminal;
}

async function openDev({
  app = APP,
  columns = 100,
  command = `dev --no-tls --port 0 --app "node app.js"`,
  setting = "",
  channels = CHANNELS,
}: {
  readonly app?: string;
  readonly columns?: number;
  readonly command?: string;
  /** `NAME=value` before the command. */
  readonly setting?: string;
  readonly channels?: Readonly<Record<string, string>>;
} = {}): Promise<DevTerminal> {
  const project = await makeProject({ ...channels, "app.js": app });
  const terminal = await Terminal.open({
    cwd: project.root,
    columns,
    env: { CHANCTL_HOME: join(project.root, "home") },
  });
  await terminal.enter(`clear; ${setting} ${process.execPath} ${CLI} ${command}`);
  const dispose = async (): Promise<void> => {
    const running = await runFile(project);
    await terminal[Symbol.asyncDispose]();
    if (running !== undefined) await untilGone(running.pid);
    await project[Symbol.asyncDispose]();
  };
  return { project, terminal, [Symbol.asyncDispose]: dispose };
}

async function runFile({
  root,
}: TempProject): Promise<{ readonly pid: number; readonly url: string } | undefined> {
  try {
    return JSON.parse(await readFile(join(root, ".chanctl/run.json"), "utf8"));
  } catch {
    return undefined;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Settings of the terminal that raw mode changes, as the shell's commands see them. */
async function modesOf(terminal: Terminal): Promise<string> {
  await terminal.enter("clear; stty -a");
  const screen = await terminal.untilShows(/\biexten\b/);
  return MODES.split(" ")
    .filter((mode) => new RegExp(`(?<!-)\\b${mode}\\b`).test(screen))
    .join(" ");
}

beforeEach((context) => requirePrograms(context, "tmux", "bash", "stty"));

describe("the status line of `dev`", () => {
  it("is the last line, tells the app's state and counts who is connected", async () => {
    await using dev = await openDev();
    const { terminal, project } = dev;
    await terminal.untilLastLine(/^ ● app ready on :\d+ · 2 channels · 0 subscribers · h help$/);
    await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
    await terminal.untilShows("publish    chat/room=a → 0 subscribers");
    expect(await terminal.lastLine()).toMatch(/^ ● app ready/);
    const history = await terminal.history();
    expect(history.match(/app ready on/g)).toHaveLength(1);
  });

  it("says that the app has crashed and when it comes back, and that it is ready again", async () => {
    await using dev = await openDev({ app: `${APP} setTimeout(() => process.exit(3), 1_500);` });
    await dev.terminal.untilLastLine("● app ready");
    await dev.terminal.untilLastLine("✗ app crashed, starting again in");
    await dev.terminal.untilLastLine("● app ready");
  });

  it.runIf(process.platform === "linux")("says where the app is when no browser opens", async () => {
    const opener = "printf '#!/bin/sh\\nexit 3\\n' > xdg-open && chmod +x xdg-open";
    await using dev = await openDev({
      setting: `${opener}; PATH="$PWD:$PATH"`,
      command: "dev --no-tls --port 0 --open",
    });
    const text = /no browser opens on this machine; the app is at http:\/\/localhost:\d+/g;
    await dev.terminal.until((screen) => screen.match(text)?.length === 1);
    await dev.terminal.press("o");
    await dev.terminal.until((screen) => screen.match(text)?.length === 2);
  });

  it("counts a channel that does not load", async () => {
    await using dev = await openDev();
    await dev.terminal.untilLastLine("2 channels");
    await dev.project.write({ "channels/new.ts": "export default {\n  public: tru e };" });
    await dev.terminal.untilLastLine("3 channels · 1 broken");
  });

  it("tells that the start takes long, and is followed by the banner", async () => {
    const slow = `await new Promise((resolve) => setTimeout(resolve, 3_000));\n${channelText("{ public: true }")}`;
    await using dev = await openDev({ channels: { "channels/slow.ts": slow } });
    await dev.terminal.untilLastLine(/ ◌ starting \d s$/);
    await dev.terminal.untilLastLine("● app ready");
    expect(await dev.terminal.history()).not.toContain("◌ starting");
  });

  it("survives a resize and leaves no trace of itself", async () => {
    await using dev = await openDev();
    const { terminal } = dev;
    await terminal.untilLastLine("● app ready");
    for (const columns of [60, 120, 40, 100]) {
      await terminal.resize(columns);
      await terminal.untilLastLine(/ ● app ready on .* h help$/);
    }
    expect((await terminal.history()).match(/app ready on/g)).toHaveLength(1);
  });
});

describe("the keys of `dev`", () => {
  it("show help and what there is, and print blank lines", async () => {
    await using dev = await openDev();
    const { terminal, project } = dev;
    await terminal.untilLastLine("● app ready");
    await terminal.untilShows("app | hello from the app");
    await runCli(["publish", "chat", "--room", "lobby", "{}"], { cwd: project.root });
    await terminal.press("h");
    await terminal.untilShows("restart the app");
    await terminal.press("i");
    const screen = await terminal.untilShows("log       .chanctl/dev.log");
    expect(screen).toMatch(
      / {2}chat {2}ws\n {4}chat\/room=lobby +0 subscribers, \d+ B\n {2}jobs {2}sse\n {4}no streams yet/,
    );
    await terminal.press("Enter", "Enter", "Enter");
    await terminal.until((text) => /\n\n\n\n ● app ready[^\n]*$/.test(text));
  });

  it("restart the app", async () => {
    await using dev = await openDev();
    await dev.terminal.untilLastLine("● app ready");
    await dev.terminal.press("r");
    const screen = await dev.terminal.until((text) => text.match(/the app is ready after/g)?.length === 2);
    expect(screen).toMatch(/^\d\d:\d\d:\d\d app {8}restarting the app, as you asked$/m);
  });

  it("try channels that are broken once more", async () => {
    const waits = `import { existsSync } from "node:fs";\nif (!existsSync("go")) throw new Error("not yet");\n${channelText("{ public: true }")}`;
    await using dev = await openDev({ channels: { "channels/waits.ts": waits } });
    await dev.terminal.untilLastLine("1 channel · 1 broken");
    await dev.project.write({ go: "" });
    await dev.terminal.press("r");
    await dev.terminal.untilLastLine(/1 channel · 0 subscribers/);
  });

  it("clear the screen and keep the status line", async () => {
    await using dev = await openDev();
    await dev.terminal.untilLastLine("● app ready");
    await dev.terminal.press("c");
    await dev.terminal.until((text) => /^\n? ● app ready[^\n]*$/.test(text));
    expect(await dev.terminal.history()).toContain("hello from the app");
  });

  it("mean nothing inside arrow keys and what is pasted", async () => {
    await using dev = await openDev();
    const { terminal } = dev;
    await terminal.untilLastLine("● app ready");
    await terminal.press("Up", "Right", "F3"); // their sequences hold A, C and R
    await terminal.press("quit this quickly");
    const screen = await terminal.pressUntil("h", "clear the screen");
    expect(screen).toContain("ready in");
    expect(screen).not.toContain("restarting the app");
    expect(await terminal.lastLine()).toContain("● app ready");
  });

  it.each([
    ["q", 0],
    ["C-d", 0],
    ["C-c", 130],
  ])("end with %s, exit %i, and leave the terminal as it was", async (key, code) => {
    await using dev = await openDev();
    const { terminal } = dev;
    await terminal.untilLastLine("● app ready");
    await terminal.press(key);
    const screen = await terminal.untilLastLine(PROMPT);
    expect(screen).not.toContain("●");
    await terminal.enter("echo code=$?");
    await terminal.untilShows(`code=${code}`);
    expect(await modesOf(terminal)).toBe(MODES);
  });

  it("let Ctrl-Z stop it and give the terminal to the shell, and go on after `fg` and `bg`", async () => {
    await using dev = await openDev();
    const { terminal, project } = dev;
    await terminal.untilLastLine("● app ready");
    await terminal.press("C-z");
    await terminal.untilLastLine(PROMPT);
    expect(await modesOf(terminal)).toBe(MODES);
    await terminal.enter("clear; bg");
    const { url } = (await runFile(project)) ?? { url: "" };
    expect(await (await fetch(`${url}/x`)).text()).toBe("app"); // it runs, and has not been stopped again
    await terminal.untilLastLine(PROMPT);
    await terminal.enter("clear; fg");
    await terminal.untilLastLine("h help");
    await terminal.press("q");
    await terminal.untilLastLine(PROMPT);
    expect(await modesOf(terminal)).toBe(MODES);
  });
});

describe("`dev` beside a shell", () => {
  it("runs in the background without a status line, and is not stopped for reading the terminal", async () => {
    await using dev = await openDev({ command: `dev --no-tls --port 0 --app "node app.js" &` });
    const { terminal, project } = dev;
    await terminal.untilShows("the app is ready after");
    const { url } = (await runFile(project)) ?? { url: "" };
    expect(await (await fetch(`${url}/x`)).text()).toBe("app");
    await terminal.enter("jobs -l");
    const screen = await terminal.untilShows(/\[1\]\+ +\d+ Running/);
    expect(screen).not.toContain("●");
    expect(await terminal.history()).not.toContain("h help");
    await terminal.enter("clear; kill %1; wait; echo all gone");
    await terminal.untilShows(/^all gone/m);
  });

  it("has a status line and no keys where standard input is no terminal", async () => {
    await using dev = await openDev({ command: `dev --no-tls --port 0 --app "node app.js" < /dev/null` });
    await dev.terminal.untilLastLine(/ ● app ready on :\d+ · 2 channels · 0 subscribers$/);
    expect(await dev.terminal.history()).not.toContain("h help");
    await dev.terminal.press("C-c");
    await dev.terminal.untilLastLine(PROMPT);
  });

  it.each([
    ["in CI", "CI=1"],
    ["in a terminal that cannot", "TERM=dumb"],
  ])("is plain lines %s", async (_, setting) => {
    await using dev = await openDev({ setting });
    await dev.terminal.untilShows("the app is ready after");
    expect(await dev.terminal.history()).not.toContain("●");
    await dev.terminal.press("C-c");
    await dev.terminal.untilLastLine(PROMPT);
  });

  it("gives the terminal back when a second Ctrl-C ends it at once", async () => {
    await using dev = await openDev({ app: `process.on("SIGTERM", () => {}); ${APP}` });
    const { terminal } = dev;
    await terminal.untilLastLine("● app ready");
    await terminal.press("C-c");
    await terminal.untilLastLine("◌ stopping · q stops at once");
    await new Promise((resolve) => setTimeout(resolve, 300)); // nearer than that it is one Ctrl-C, sent on by npm
    await terminal.press("q");
    await terminal.untilLastLine(PROMPT);
    expect(await modesOf(terminal)).toBe(MODES);
  });
});
