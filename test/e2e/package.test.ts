import { execFile, spawn } from "node:child_process";
import { readFile, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
/** better-sqlite3 may have to be compiled. */
const INSTALL_TIMEOUT_MS = 300_000;

describe("the packed tarball, installed into an empty folder", () => {
  let base: string;
  let folder: string;
  let tarball: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), "chanctl-package-"));
    folder = join(base, "empty");
    await mkdir(folder);
    env = { ...process.env, CHANCTL_HOME: join(base, "home"), NO_COLOR: "1" };
    // Without scripts: `prepack` would build `dist` anew under the feet of the other tests.
    const { stdout } = await run(
      "npm",
      ["pack", "--silent", "--ignore-scripts", "--pack-destination", base],
      { cwd: REPOSITORY },
    );
    tarball = join(base, stdout.trim().split("\n").at(-1) ?? "");
    await run("npm", ["install", tarball], { cwd: folder, env });
  }, INSTALL_TIMEOUT_MS);

  afterAll(() => rm(base, { recursive: true, force: true, maxRetries: 5 }));

  it("is smaller than 1 MB, and its entries and types resolve", async () => {
    expect((await stat(tarball)).size).toBeLessThan(1_000_000);
    const bin = (name: string) => join(REPOSITORY, "node_modules", ".bin", name);
    await run(bin("publint"), ["run", tarball, "--strict"], { cwd: REPOSITORY });
    await run(bin("attw"), [tarball, "--profile", "esm-only"], { cwd: REPOSITORY });
  });

  it(
    "makes the chat with `npx chanctl init` and serves it with `npx chanctl dev`, without the repository",
    async () => {
      await run("npx", ["chanctl", "init", "--yes"], { cwd: folder, env });
      const child = spawn("npx", ["chanctl", "dev", "--port", "0", "--json"], { cwd: folder, env });
      let pid: number | undefined;
      try {
        const entries = createInterface({ input: child.stdout });
        let ready: { url: string; caPath: string; pid: number } | undefined;
        for await (const line of entries) {
          const entry = JSON.parse(line);
          if (entry.event === "ready") ready = entry;
          if (entry.event === "app-ready") break;
        }
        if (ready === undefined) throw new Error("chanctl dev ended before it was ready");
        pid = ready.pid;
        const ca = await readFile(ready.caPath, "utf8");
        const cookie = await signIn(ready.url, { ca, name: "ada" });
        const said = await sayAndHear(ready.url, { ca, cookie, text: "hello" });
        expect(said).toMatchObject({
          channel: "chat",
          type: "message",
          data: { text: "hello" },
          from: "ada",
        });
      } finally {
        if (pid === undefined) child.kill();
        else process.kill(pid, "SIGTERM");
        await new Promise((resolve) => child.once("close", resolve));
      }
    },
    INSTALL_TIMEOUT_MS,
  );
});

function signIn(url: string, { ca, name }: { ca: string; name: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = new URLSearchParams({ name }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": body.length };
    const sent = request(`${url}/sign-in`, { method: "POST", ca, headers }, (response) => {
      response.resume();
      resolve(response.headers["set-cookie"]?.[0]?.split(";")[0] ?? "");
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function sayAndHear(
  url: string,
  { ca, cookie, text }: { ca: string; cookie: string; text: string },
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(`${url.replace("https", "wss")}/channels/chat?room=lobby`, {
      ca,
      headers: { cookie },
    });
    webSocket.on("error", reject);
    webSocket.on("close", (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
    webSocket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString());
      if (frame.control === "ready") webSocket.send(JSON.stringify({ type: "message", data: { text } }));
      else if (frame.control === undefined) {
        resolve(frame);
        webSocket.terminate();
      }
    });
  });
}
