import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Agent, request } from "node:https";
import { once } from "node:events";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import { isAlive } from "#src/platform/is-alive.ts";
import { channelText } from "../support/channel-text.ts";
import { RunningCli, runCli } from "./cli.ts";
import { CHANNELS, makeDevProject, startDev } from "./dev-project.ts";
import type { StartedServer } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const APP = `
import { createServer } from "node:http";
createServer((request, response) => response.end("app " + request.url)).listen(process.env.PORT);
console.log("hello from the app");
`;

/** An app that ends only by force. */
const STUBBORN_APP = `process.on("SIGTERM", () => console.log("no")); ${APP}`;

/** Whether the app that the server told of is there. */
function isAppAlive({ ready }: StartedServer): boolean {
  if (ready.app === undefined) throw new Error("the server has told of no app");
  return isAlive(ready.app.pid);
}

async function get(url: string, ca: string): Promise<string> {
  const agent = new Agent({ ca });
  const [response] = await once(request(url, { agent }).end(), "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  agent.destroy();
  return text;
}

describe("chanctl dev", () => {
  it("is ready with HTTPS that its CA proves, in front of the app", async () => {
    await using project = await makeProject({ ...CHANNELS, "app.js": APP });
    await using dev = await startDev(project, { command: ["dev", "--", "node", "app.js"] });
    const { ready } = dev;
    expect(ready).toEqual({
      event: "ready",
      url: expect.stringMatching(/^https:\/\/localhost:\d+$/),
      internalUrl: expect.stringMatching(/^http:\/\/.*:\d+$/),
      caPath: join(project.root, "home/ca.pem"),
      pid: dev.cli.child.pid,
      app: { pid: expect.any(Number), port: expect.any(Number) },
    });
    expect(await get(`${ready.url}/x`, await readFile(ready.caPath ?? "", "utf8"))).toBe("app /x");
  });

  it("writes run.json for its owner only, and takes it away at the end", async () => {
    await using dev = await makeDevProject();
    const path = join(dev.project.root, ".chanctl/run.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      url: dev.ready.url,
      internalUrl: dev.ready.internalUrl,
      token: expect.any(String),
      pid: dev.ready.pid,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await dev.cli.end();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("ends well on %s, exit %i, and leaves no process behind", async (signal, code) => {
    await using project = await makeProject({ "app.js": APP });
    await using dev = await startDev(project, { command: ["dev", "--no-tls", "--app", "node app.js"] });
    expect((await dev.cli.end(signal)).code).toBe(code);
    expect(isAppAlive(dev)).toBe(false);
  });

  it("ends at once on a second Ctrl-C, and so does an app that will not", async () => {
    await using project = await makeProject({ "app.js": STUBBORN_APP });
    await using dev = await startDev(project, { command: ["dev", "--no-tls", "--app", "exec node app.js"] });
    await dev.cli.until(({ stdout }) => stdout.includes("hello from the app"));
    dev.cli.child.kill("SIGINT");
    await dev.cli.until(({ stdout }) => stdout.includes('"text":"no"'));
    await new Promise((resolve) => setTimeout(resolve, 300)); // nearer than that it is one Ctrl-C, sent on by npm
    const askedAgainAt = performance.now();
    dev.cli.child.kill("SIGINT");
    expect((await dev.cli.ended()).code).toBe(130);
    expect(performance.now() - askedAgainAt).toBeLessThan(4_000); // the app would be waited for for 5 s
    await vi.waitFor(() => expect(isAppAlive(dev)).toBe(false), 5_000);
  });

  it("ends on one signal though something that it has loaded goes on", async () => {
    await using project = await makeProject(CHANNELS);
    const lasting = "import{isMainThread}from'node:worker_threads';isMainThread&&setInterval(Date.now,1000)";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(lasting)}` };
    await using dev = await startDev(project, { env });
    dev.cli.child.kill("SIGTERM");
    expect((await dev.cli.ended()).code).toBe(143);
  });

  it("ends when nobody reads its output any more", async () => {
    await using project = await makeProject({ ...CHANNELS, "app.js": APP });
    await using dev = await startDev(project, { command: ["dev", "--no-tls", "--app", "node app.js"] });
    dev.cli.child.stdout.destroy();
    const { child } = dev.cli;
    const published: unknown[] = [];
    const giveUpAt = performance.now() + 20_000;
    // The line of one that arrives meets the closed pipe.
    while (child.exitCode === null && child.signalCode === null && performance.now() < giveUpAt)
      published.push(await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root }));
    const { exitCode, signalCode } = child;
    expect({ exitCode, signalCode, stderr: dev.cli.stderr, published }).toMatchObject({ exitCode: 0 });
    expect(isAppAlive(dev)).toBe(false);
  });

  it("shows a person a banner, then one line an event and the app's output behind a prefix", async () => {
    await using project = await makeProject({ ...CHANNELS, "app.js": APP });
    await using dev = new RunningCli(["dev", "--port", "0", "--app", "node app.js"], {
      cwd: project.root,
      env: { CHANCTL_HOME: join(project.root, "home") },
    });
    await dev.until(({ stdout }) => stdout.includes("app | hello from the app\n"));
    expect(dev.stdout).toMatch(
      /chanctl \d+\.\d+\.\d+ {2}ready in .*\n\n {2}public +https:\/\/localhost:\d+ +https:\/\/shop\.localhost/,
    );
    expect(dev.stdout).toMatch(/ {2}channels +chat \(ws\), jobs \(sse\)\n {2}CA +(not )?trusted /);
    await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: project.root });
    await dev.until(({ stdout }) => /\d\d:\d\d:\d\d publish    chat\/room=a → 0 subscribers, /.test(stdout));
  });

  it("runs the broker alone where there is no app", async () => {
    await using dev = await makeDevProject();
    expect(dev.ready).not.toHaveProperty("app");
    const published = await runCli(["publish", "chat", "--room", "a", "{}"], { cwd: dev.project.root });
    expect(published.code).toBe(0);
  });

  it("starts the script of package.json that does not start chanctl itself", async () => {
    await using project = await makeProject({
      "package.json": JSON.stringify({
        type: "module",
        scripts: { dev: "chanctl dev", start: "node app.js" },
      }),
      "app.js": APP,
    });
    await using dev = await startDev(project);
    await dev.cli.until(({ stdout }) => stdout.includes("hello from the app"));
  });

  it("goes on with a broken definition, shows its place, and takes the fix", async () => {
    await using dev = await makeDevProject();
    await dev.project.write({ "channels/new.ts": "export default {\n  public: tru e };" });
    await dev.cli.until(({ stdout }) => stdout.includes("channels/new.ts:2:"));
    await dev.project.write({ "channels/new.ts": channelText("{ public: true }") });
    await dev.cli.until(
      ({ stdout }) => stdout.includes('"channel":"new"') && stdout.includes('"event":"reload"'),
    );
    const published = await runCli(["publish", "new", "1"], { cwd: dev.project.root });
    expect(published.code).toBe(0);
  });

  it("names who holds its port", async () => {
    await using project = await makeProject();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { code, stdout, stderr } = await runCli(["dev", "--no-tls", "--port", String(port)], {
      cwd: project.root,
    });
    holder.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^error: port ${port} is in use by .*pid ${process.pid}[^]*--port 0`));
  });

  it("refuses a store that another chanctl uses, and leaves that one its run.json", async () => {
    await using dev = await makeDevProject();
    const { code, stderr } = await runCli(["dev", "--no-tls", "--port", "0"], { cwd: dev.project.root });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: .*pid ${dev.ready.pid}`));
    expect((await runCli(["publish", "jobs", "1"], { cwd: dev.project.root })).code).toBe(0);
  });
});

describe("chanctl serve", () => {
  it("serves plain HTTP in front of an app that runs elsewhere", async () => {
    await using project = await makeProject(CHANNELS);
    await using server = await startDev(project, { command: ["serve", "--app-url", "http://127.0.0.1:9"] });
    expect(server.ready.url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(server.ready).not.toHaveProperty("caPath");
    expect((await server.cli.end("SIGTERM")).code).toBe(143);
  });

  it("refuses to start with an invalid definition, exit 3", async () => {
    await using project = await makeProject({ ...CHANNELS, "channels/bad.json": '{"public":1}' });
    const { code, stderr } = await runCli(["serve", "--port", "0"], { cwd: project.root });
    expect(code).toBe(3);
    expect(stderr).toContain("these channels are invalid: `bad`");
  });

  it("says which file of --cert and --key is missing", async () => {
    await using project = await makeProject();
    const args = ["serve", "--port", "0", "--cert", "c.pem", "--key", "k.pem"];
    const { code, stderr } = await runCli(args, { cwd: project.root });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*c\.pem/);
  });
});
