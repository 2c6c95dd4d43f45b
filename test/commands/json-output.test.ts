import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { channelText } from "../support/channel-text.ts";
import { RunningCli, runCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const APP = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/die") process.exit(3);
  response.end("app");
}).listen(process.env.PORT);
console.log("hello");
console.error("\\x1b[31mred");
`;

interface OutputEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The fields that docs/json-output.md promises for each event. */
async function readPromised(): Promise<Map<string, readonly string[]>> {
  const text = await readFile(new URL("../../docs/json-output.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `([\w-]+)` \|[^|]*\|([^|]*)\|$/gm)];
  return new Map(
    rows.map(([, event = "", fields = ""]) => [
      event,
      [...fields.replaceAll(/\(.*?\)/g, "").matchAll(/`(\w+)`/g)].map(([, field = ""]) => field),
    ]),
  );
}

function eventsOf(cli: RunningCli): OutputEvent[] {
  return cli.lines.map((line) => JSON.parse(line) as OutputEvent);
}

it("prints `ready` first, then what docs/json-output.md says, one JSON a line", async () => {
  await using project = await makeProject({ ...CHANNELS, "app.js": APP });
  await using dev = await startDev(project, { command: ["dev", "--no-tls", "--app", "node app.js"] });
  const seen = (event: string) => (): boolean => eventsOf(dev.cli).some((entry) => entry.event === event);
  await dev.cli.until(seen("app-ready"));
  await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
  await dev.cli.until(seen("publish"));
  await runCli(["tail", "chat", "--room", "a", "--no-follow"], { cwd: project.root });
  await dev.cli.until(seen("disconnect"));
  await fetch(`${dev.ready.url}/channels/none`);
  await dev.cli.until(seen("refused"));
  await project.write({ "channels/new.ts": "export default {\n  public: tru e };" });
  await dev.cli.until(seen("definition-error"));
  await project.write({ "channels/new.ts": channelText("{ public: true }") });
  await dev.cli.until(seen("reload"));
  await dev.cli.until(seen("app-replaced")); // of the one before, the end is no news
  await fetch(`${dev.ready.url}/die`).catch(() => {});
  await dev.cli.until(seen("app-exit"));
  await dev.cli.end();

  const [first, ...rest] = eventsOf(dev.cli);
  expect(first).toEqual(dev.ready);
  expect(first?.event).toBe("ready");
  const promised = await readPromised();
  expect(promised.size).toBeGreaterThan(10);
  for (const { event, time, ...fields } of rest) {
    expect(time).toEqual(expect.any(Number));
    const known = promised.get(event);
    if (known === undefined) continue; // an event that programs skip
    const names = Object.keys(fields).filter((name) => name !== "level" && name !== "message");
    expect(known, event).toEqual(expect.arrayContaining(names));
    if (event !== "app-output")
      expect(fields).toMatchObject({ level: expect.any(String), message: expect.any(String) });
  }
  expect(dev.cli.lines.filter((line) => /\d\.\d{4}/.test(line))).toEqual([]);
  const output = rest.filter(({ event }) => event === "app-output");
  expect(output).toContainEqual({
    event: "app-output",
    time: expect.any(Number),
    stream: "stdout",
    text: "hello",
  });
  expect(output).toContainEqual(expect.objectContaining({ stream: "stderr", text: "red" }));
});

it.each([
  ["colours nothing that is not a terminal", {}, false],
  ["colours with FORCE_COLOR", { FORCE_COLOR: "1" }, true],
  ["colours nothing with NO_COLOR, whatever FORCE_COLOR says", { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
] as const)("%s, and draws no status line there", async (_, env, isColored) => {
  await using project = await makeProject({ ...CHANNELS, "app.js": APP });
  await using dev = new RunningCli(["dev", "--no-tls", "--port", "0", "--app", "node app.js"], {
    cwd: project.root,
    env: { CHANCTL_HOME: `${project.root}/home`, ...env },
  });
  const red = isColored ? "\u001B[31mred\u001B[0m\n" : " red\n";
  await dev.until(({ stdout }) => stdout.includes("the app is ready after") && stdout.includes(red));
  expect(dev.stdout.includes("\u001B[")).toBe(isColored);
  expect(dev.stdout).not.toMatch(/\u001B\[J|\u001B\[\?7l|\r|●/); // eslint-disable-line no-control-regex
  expect(dev.stdout).not.toContain("h help");
});

it("shows `serve` as a banner without keys, and neither connections nor publishes", async () => {
  await using project = await makeProject({ ...CHANNELS, "app.js": APP });
  await using serve = new RunningCli(["serve", "--port", "0", "--app", "node app.js"], { cwd: project.root });
  await serve.until(({ stdout }) => stdout.includes("the app is ready after"));
  await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
  expect(serve.stdout).toMatch(/chanctl \d+\.\d+\.\d+ serve {2}ready in/);
  expect(serve.stdout).not.toMatch(/publish|h help|CA {2}/);
});
