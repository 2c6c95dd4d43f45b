import { chmod, mkdir, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import Database from "better-sqlite3";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { describe, expect, it } from "vitest";

import { makeAuthority } from "#src/certs/make-authority.ts";
import { pickFreePort } from "#src/platform/free-port.ts";

import { requirePrograms, skipOrFail } from "../support/requires.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { runCli } from "./cli.ts";
import { CHANNELS, startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

interface Finding {
  readonly group: string;
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  readonly fix?: string;
}

interface Examined {
  readonly code: number | null;
  readonly findings: readonly Finding[];
  /** The one finding of a check. */
  readonly of: (check: string) => Finding | undefined;
}

async function examine(
  { root }: Pick<TempProject, "root">,
  env: Readonly<Record<string, string>> = {},
): Promise<Examined> {
  const home = { CHANCTL_HOME: `${root}/home`, CHANCTL_PORT: "0" };
  const { code, stdout, stderr } = await runCli(["doctor", "--json"], {
    cwd: root,
    env: { ...home, ...env },
  });
  expect(stderr).toBe("");
  const findings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
  return { code, findings, of: (wanted) => findings.find(({ check }) => check === wanted) };
}

/** A project whose server ran, and ended well. */
async function makeServedProject(): Promise<TempProject> {
  const project = await makeProject(CHANNELS);
  await using _server = await startDev(project, { command: ["dev"] });
  return project;
}

/** A project whose server was killed. */
async function makeKilledProject(): Promise<TempProject> {
  const project = await makeProject(CHANNELS);
  await using server = await startDev(project);
  await server.cli.end("SIGKILL");
  return project;
}

describe("a project without fault", () => {
  it("has no row that fails, running or not", async () => {
    await using project = await makeProject(CHANNELS);
    expect((await examine(project)).code).toBe(0);
    await using server = await startDev(project, { command: ["dev"] });
    const running = await examine(project);
    expect(running.findings.filter(({ status }) => status === "fail")).toEqual([]);
    expect(running.code).toBe(0);
    expect(running.of("public")?.message).toBe(`${server.ready.url} answers`);
    expect(running.of("lock")?.message).toContain(`pid ${server.ready.pid}`);
    await server.cli.end();
    const ended = await examine(project);
    expect(ended.code).toBe(0);
    expect(ended.of("integrity")).toMatchObject({ status: "ok" });
    expect(ended.of("certificate")?.message).toContain("shop.localhost");
  });

  it("is not shown in the log of its server that it was examined", async () => {
    await using project = await makeProject(CHANNELS);
    await using server = await startDev(project);
    await examine(project);
    await server.cli.end();
    expect(server.cli.stdout + server.cli.stderr).not.toContain("doctor");
  });

  it("is left as it was", async () => {
    await using project = await makeServedProject();
    const file = join(project.root, ".chanctl/channels.sqlite");
    const before = await readFile(file);
    await examine(project);
    expect(before.equals(await readFile(file))).toBe(true);
  });
});

describe("a machine on which every connect fails at once", () => {
  it("gets all of the rows, and a `--url` is told of with exit 5", async (context) => {
    requirePrograms(context, "unshare");
    const words = ["unshare", "--user", "--map-root-user", "--net"];
    await promisify(execFile)("unshare", [...words.slice(1), "true"]).catch(() =>
      skipOrFail(context, "needs network namespaces"),
    );
    await using project = await makeProject(CHANNELS);
    await using _server = await startDev(project);
    const env = { CHANCTL_PORT: "0" };
    const report = await runCli(["doctor"], { cwd: project.root, env, words });
    expect({ code: report.code, stderr: report.stderr }).toEqual({ code: 1, stderr: "" });
    expect(report.stdout).toMatch(/^ {2}fail {2}loopback /m);
    expect(report.stdout).toMatch(/^ {2}fail {2}public .* does not answer/m);
    const url = "https://shop.localhost:99";
    const { code, stderr } = await runCli(["tail", "chat", "--url", url], { cwd: project.root, words });
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: `error: cannot connect to ${url}: ENETUNREACH\n  fix: check the URL, and that the server runs\n`,
    });
  });
});

it.skipIf(process.platform === "win32")("finds no fault where few files may be open at once", async () => {
  await using project = await makeProject(CHANNELS);
  await using _server = await startDev(project);
  const words = ["sh", "-c", 'ulimit -n 96 && exec "$@"', "sh"];
  const report = await runCli(["doctor"], { cwd: project.root, env: { CHANCTL_PORT: "0" }, words });
  expect(report.stdout).toMatch(/^ {2}warn {2}open files +at most 96 /m);
  expect(report.stdout).toMatch(/^ {2}ok {4}public .* answers/m);
  expect(report.stdout + report.stderr).not.toMatch(/EMFILE|cannot be read/);
});

describe("outside a project", () => {
  it("says so and examines the machine", async () => {
    await using project = await makeProject();
    await rm(join(project.root, "package.json"));
    const { code, of } = await examine(project);
    expect(code).toBe(0);
    expect(of("config")).toMatchObject({ status: "warn", fix: expect.stringContaining("chanctl init") });
    expect(of("node")).toMatchObject({ status: "ok" });
    expect(of("sqlite")).toMatchObject({ status: "ok" });
  });
});

describe("the report", () => {
  it("has one row for each thing, and a count at its end", async () => {
    await using project = await makeProject({ "channels/bad.json": '{"transport": "pigeon"}' });
    const { code, stdout } = await runCli(["doctor"], { cwd: project.root, env: { CHANCTL_PORT: "0" } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}fail {2}channels +channels\/bad\.json/m);
    expect(stdout).toMatch(/\d+ ok, \d+ warn, 1 fail\n$/);
  });
});

describe("the report in a pipe", () => {
  it("has whole rows, for who looks for one", async () => {
    const channels = `./${"word ".repeat(30)}end`;
    await using project = await makeProject({ "chanctl.config.json": JSON.stringify({ channels }) });
    const { stdout } = await runCli(["doctor"], { cwd: project.root, env: { CHANCTL_PORT: "0" } });
    expect(stdout).toMatch(/^ {2}warn {2}channels +the folder of channels is not there: .*word word end$/m);
  });
});

describe("a fault", () => {
  it("in the config is shown with its place", async () => {
    await using project = await makeProject({ "chanctl.config.json": '{\n  "prot": 1\n}' });
    const { code, of } = await examine(project);
    expect(code).toBe(1);
    expect(of("config")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/^chanctl\.config\.json:2:3: unknown key `prot`\n\n/) as unknown,
      fix: "did you mean `port`?",
    });
  });

  it("in a channel's file is shown with its place, beside those that load", async () => {
    await using project = await makeProject({ ...CHANNELS, "channels/bad.ts": "export default {" });
    const { code, findings } = await examine(project);
    expect(code).toBe(1);
    const rows = findings.filter(({ check }) => check === "channels");
    expect(rows.map(({ status }) => status)).toEqual(["ok", "fail"]);
    expect(rows[1]?.message).toContain("channels/bad.ts:1:");
  });

  it("in a page of the store is found", async () => {
    await using project = await makeServedProject();
    const file = join(project.root, ".chanctl/channels.sqlite");
    // A page that is only met by who looks at all of them: nothing else is read from this table.
    const db = new Database(file, { readonly: true });
    const page = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'keys_1'").pluck().get();
    db.close();
    const handle = await open(file, "r+");
    await handle.write(Buffer.alloc(4_096, 0xa5), 0, 4_096, (Number(page) - 1) * 4_096);
    await handle.close();
    const { code, of } = await examine(project);
    expect(code).toBe(1);
    expect(of("integrity")).toMatchObject({ status: "fail", fix: expect.stringContaining(".recover") });
  });

  it("in the head of the store is found", async () => {
    await using project = await makeServedProject();
    await truncate(join(project.root, ".chanctl/channels.sqlite"), 100);
    expect((await examine(project)).of("integrity")).toMatchObject({ status: "fail" });
  });

  it("of a store that a newer chanctl wrote is told from damage", async () => {
    await using project = await makeServedProject();
    // The schema is `user_version`: 4 bytes at 60 of the file's header.
    const handle = await open(join(project.root, ".chanctl/channels.sqlite"), "r+");
    await handle.write(Buffer.from([0, 0, 0, 99]), 0, 4, 60);
    await handle.close();
    expect((await examine(project)).of("integrity")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/^a newer chanctl wrote it: schema 99/),
    });
  });

  it("of a chanctl that was killed: its run.json is stale", async () => {
    await using project = await makeKilledProject();
    const { code, of } = await examine(project);
    expect(code).toBe(0);
    expect(of("run.json")).toMatchObject({ status: "warn", fix: expect.stringContaining("run.json") });
    expect(of("lock")).toMatchObject({ status: "ok", message: "free" });
    expect(of("public")).toBeUndefined();
  });

  it("of a program that has the killed chanctl's number: it does not answer", async () => {
    await using project = await makeKilledProject();
    const path = join(project.root, ".chanctl/run.json");
    const run = JSON.parse(await readFile(path, "utf8")) as object;
    await writeFile(path, JSON.stringify({ ...run, pid: process.pid }));
    const { code, of } = await examine(project);
    expect(code).toBe(1);
    expect(of("internal")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expect(of("lock")).toMatchObject({ status: "warn" });
  });

  it.skipIf(process.platform === "win32")("of a token that others can read is found", async () => {
    await using project = await makeServedProject();
    const path = join(project.root, ".chanctl/token");
    await chmod(path, 0o644);
    await chmod(join(project.root, ".chanctl"), 0o755);
    const { code, of } = await examine(project);
    expect(code).toBe(1);
    expect(of("token")).toMatchObject({
      status: "fail",
      message: `${path} can be read by others (0644)`,
      fix: `chmod 600 "${path}"`,
    });
    await chmod(join(project.root, ".chanctl"), 0o700);
    expect((await examine(project)).of("token")).toMatchObject({
      status: "warn",
      message: `only its folder keeps others from ${path} (0644)`,
    });
  });

  it("of a token in git is found", async () => {
    await using project = await makeServedProject();
    await rm(join(project.root, ".chanctl/.gitignore"), { force: true });
    await mkdir(join(project.root, ".git/objects"), { recursive: true });
    await mkdir(join(project.root, ".git/refs"));
    await writeFile(join(project.root, ".git/HEAD"), "ref: refs/heads/main\n");
    expect((await examine(project)).of(".gitignore")).toMatchObject({ status: "fail" });
    await project.write({ ".gitignore": ".chanctl\n" });
    expect((await examine(project)).of(".gitignore")).toMatchObject({ status: "ok" });
  });

  it("of a full disk is found", async (context) => {
    const folder = mountSmallDisk(context, { megabytes: 6 });
    await writeFile(join(folder, "package.json"), "{}");
    await mkdir(join(folder, ".chanctl"));
    await writeFile(join(folder, ".chanctl/channels.sqlite"), "");
    expect((await examine({ root: folder })).of("disk")).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/^the disk is full/),
    });
  });

  it("of a CA that has ended is found", async () => {
    await using project = await makeProject();
    const { certPem, keyPem } = await makeAuthority(Date.parse("2010-01-01"));
    await project.write({ "home/ca.pem": certPem, "home/ca-key.pem": certPem + keyPem });
    await chmod(join(project.root, "home/ca-key.pem"), 0o600);
    const { code, of } = await examine(project);
    expect(code).toBe(1);
    expect(of("CA")).toMatchObject({ status: "fail", message: expect.stringContaining("it ended on") });
  });

  it.skipIf(process.platform === "win32")("of a CA key that others can read is found", async () => {
    await using project = await makeServedProject();
    const path = join(project.root, "home/ca-key.pem");
    await chmod(path, 0o640);
    expect((await examine(project)).of("CA")).toMatchObject({
      status: "fail",
      message: `${path} can be read by others (0640)`,
    });
    expect((await stat(path)).mode & 0o777).toBe(0o640); // told, not changed
  });

  it("of a port that is taken names who has it", async () => {
    await using project = await makeProject();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { of } = await examine(project, { CHANCTL_PORT: String(port) });
    taken.close();
    expect(of("port")).toMatchObject({
      status: "warn",
      message: expect.stringContaining(process.platform === "linux" ? `pid ${process.pid}` : "in use"),
    });
  });

  it.skipIf(process.platform !== "linux")(
    "of a port that another chanctl has names its project",
    async () => {
      await using other = await makeProject(CHANNELS);
      await using server = await startDev(other);
      await using project = await makeProject();
      const { of } = await examine(project, { CHANCTL_PORT: new URL(server.ready.url).port });
      expect(of("port")).toMatchObject({
        status: "warn",
        message: expect.stringContaining(`is in use by chanctl (pid ${server.ready.pid}, ${other.root})`),
        fix: expect.stringContaining(`kill ${server.ready.pid}`),
      });
    },
  );

  it("of a proxy variable that catches localhost is found", async () => {
    await using project = await makeProject();
    const env = { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: "corp.example", no_proxy: "" };
    expect((await examine(project, env)).of("proxy")).toMatchObject({
      status: "warn",
      fix: 'export NO_PROXY="corp.example,localhost,.localhost,127.0.0.1,::1"',
    });
  });
});

describe("the app", () => {
  const APP = (answer: string): string => `
    import { createServer } from "node:http";
    createServer((request, response) => {
      const isBroker = request.headers.authorization === "Bearer " + process.env.CHANCTL_TOKEN;
      ${answer}
    }).listen(process.env.PORT, "127.0.0.1");`;

  async function examineApp(answer: string): Promise<Finding | undefined> {
    await using project = await makeProject({ ...CHANNELS, "app.mjs": APP(answer) });
    await using server = await startDev(project, {
      command: ["dev", "--no-tls", "--app", `"${process.execPath}" app.mjs`],
    });
    const isUp = async (): Promise<boolean> => (await fetch(server.ready.url)).status < 500;
    while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 20));
    return (await examine(project)).of("app");
  }

  it("that answers authorize calls is well", async () => {
    const answer = `
      response.writeHead(isBroker || request.method === "GET" ? 200 : 404).end('{"ok":false}');`;
    expect(await examineApp(answer)).toMatchObject({ status: "ok" });
  });

  it("that has not mounted the endpoint is told what to write", async () => {
    const answer = `response.writeHead(request.method === "GET" ? 200 : 404).end("<h1>Not found</h1>");`;
    expect(await examineApp(answer)).toMatchObject({
      status: "warn",
      message: expect.stringContaining("404 for POST /channels/authorize"),
      fix: expect.stringContaining("app.use(channels.middleware)"),
    });
  });

  it("whose port another program has is told so, and that program is not shown the token", async () => {
    const asked: unknown[] = [];
    const taken = createHttpServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end();
    }).listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    await using project = await makeProject(CHANNELS);
    const command = ["dev", "--no-tls", "--app-port", port, "--app", "node app.mjs"];
    await using server = await startDev(project, { command });
    await server.cli.until(({ stdout }) => stdout.includes("app-port-taken"));
    expect((await examine(project)).of("app")).toMatchObject({
      status: "fail",
      message: expect.stringContaining(`must have port ${port}, which is in use`),
      fix: expect.stringMatching(/^--app-port 0 /m),
    });
    taken.close();
    expect(asked).toEqual([]);
  });

  it("that is down is not asked: whoever has its port meanwhile is not shown the token", async () => {
    const port = await pickFreePort();
    await using project = await makeProject(CHANNELS);
    const command = ["dev", "--no-tls", "--app-port", String(port), "--app", "no-such-command"];
    await using server = await startDev(project, { command });
    await server.cli.until(({ stdout }) => stdout.includes("app-given-up"));
    const asked: unknown[] = [];
    const taken = createHttpServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end('{"ok":true}');
    }).listen(port, "127.0.0.1");
    await once(taken, "listening");
    expect((await examine(project)).of("app")).toMatchObject({
      status: "fail",
      message: `http://localhost:${port} does not answer (crashed): it is asked once it is ready`,
    });
    taken.close();
    expect(asked).toEqual([]);
  });

  it("that answers whoever asks is a fault", async () => {
    expect(await examineApp(`response.end('{"ok":true}');`)).toMatchObject({
      status: "fail",
      message: expect.stringContaining("whoever asks"),
    });
  });
});
