import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

const APP = (name: string): string => `
import { createServer } from "node:http";
createServer((request, response) => response.end("${name} " + request.headers.host)).listen(process.env.PORT);
`;

/** Asks a dev server by a name that plain Node cannot resolve, and takes no certificate but for that name. */
async function askBy(host: string, { url, ca }: { url: string; ca: string }): Promise<string> {
  const { port } = new URL(url);
  const options = { host: "127.0.0.1", port, ca, servername: host, headers: { host: `${host}:${port}` } };
  const [response] = await once(request({ ...options, agent: false }).end(), "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

describe("two projects at once", () => {
  it("each have their own port, app and data, also where both are called the same", async () => {
    await using first = await makeProject({ ...CHANNELS, "app.js": APP("first") });
    await using second = await makeProject({ ...CHANNELS, "app.js": APP("second") });
    const options = {
      command: ["dev", "--app", "node app.js"],
      env: { CHANCTL_HOME: join(first.root, "home") }, // of one user, whose CA vouches for both
    };
    await using one = await startDev(first, options);
    await using two = await startDev(second, options);
    const ca = await readFile(one.ready.caPath ?? "", "utf8");
    for (const [{ ready }, name] of [
      [one, "first"],
      [two, "second"],
    ] as const) {
      const { host, port } = new URL(ready.url);
      expect(await askBy("localhost", { url: ready.url, ca })).toBe(`${name} ${host}`);
      expect(await askBy("shop.localhost", { url: ready.url, ca })).toBe(`${name} shop.localhost:${port}`);
      expect(await askBy("api.shop.localhost", { url: ready.url, ca })).toBe(
        `${name} api.shop.localhost:${port}`,
      );
    }
    await runCli(["publish", "chat", "--room", "a", "--type", "note", "1"], { cwd: first.root });
    const read = ["tail", "chat", "--room", "a", "--since", "start", "--no-follow", "--json"];
    expect((await runCli(read, { cwd: first.root })).stdout).toContain('"type":"note"');
    expect((await runCli(read, { cwd: second.root })).stdout).toBe("");
  });

  it("that want one port are told of each other: which project has it, and how to go on", async (context) => {
    if (process.platform === "win32") context.skip("who holds a port is not known on Windows");
    await using first = await makeProject(CHANNELS);
    await using second = await makeProject(CHANNELS);
    await using one = await startDev(first);
    const { port } = new URL(one.ready.url);
    const { code, stderr } = await runCli(["dev", "--no-tls", "--port", port], { cwd: second.root });
    expect(code).toBe(1);
    const folder = first.root.replace(homedir(), "~");
    expect(stderr.split("\n")).toEqual([
      `error: port ${port} is in use by chanctl (pid ${one.ready.pid}, ${folder})`,
      expect.stringMatching(/^ {2}fix: chanctl dev --port 0 +pick a free port$/),
      expect.stringMatching(new RegExp(`^ {7}kill ${one.ready.pid} +stop that one$`)),
      "",
    ]);
  });

  it("names the chanctl that has the port of the app", async (context) => {
    if (process.platform === "win32") context.skip("who holds a port is not known on Windows");
    await using first = await makeProject(CHANNELS);
    await using second = await makeProject(CHANNELS);
    await using one = await startDev(first);
    const { port } = new URL(one.ready.url);
    const command = ["dev", "--no-tls", "--app-port", port, "--app", "node app.js"];
    await using two = await startDev(second, { command });
    await two.cli.until(({ stdout }) => stdout.includes("app-port-taken"));
    expect(two.cli.stdout).toContain(
      `port ${port}, which is in use by chanctl (pid ${one.ready.pid}, ${first.root.replace(homedir(), "~")})`,
    );
  });
});
