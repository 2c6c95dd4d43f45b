import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Supervisor } from "#src/app/supervisor.ts";
import type { AppState } from "#src/app/app.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { isAlive } from "#src/platform/is-alive.ts";
import { listProcesses } from "#src/platform/process-stat.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { collectLog, eventually, fixture, never, supervise } from "./support.ts";

/** The process ids in the line `pids 1 2 …` that some fixtures write. */
async function announcedPids(output: readonly string[]): Promise<number[]> {
  return eventually(() => {
    const line = output.find((text) => text.startsWith("pids "));
    if (line === undefined) throw new Error(`no pids in ${JSON.stringify(output)}`);
    return line.split(" ").slice(1).map(Number);
  });
}

/** The guards of a process group: none, or one. */
function guardsOf(group: number): number[] {
  return listProcesses().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").endsWith(`chanctl-guard\0${group}\0`);
    } catch {
      return false; // it has ended
    }
  });
}

/** A port at which this process listens until the test ends. */
async function occupyPort(): Promise<number> {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  onTestFinished(() => void squatter.close());
  const { port } = squatter.address() as AddressInfo;
  return port;
}

/** A process that listens at a port until the test ends. */
async function squat(port: number, host: string): Promise<ChildProcess> {
  const code = `require("node:net").createServer().listen(${port}, "${host}", () => console.log("up"))`;
  const child = spawn(process.execPath, ["--eval", code], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

describe("starting", () => {
  test("is ready when the app's port accepts", async () => {
    const { app, port } = await supervise("serves");
    expect(app.state).toBe("starting");
    expect(app.address).toBeUndefined();
    await app.waitUntilReady(never);
    expect(app).toMatchObject({ state: "ready", address: "127.0.0.1" });
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toMatch(/^hello/);
  });

  test("is ready when the app listens on IPv6 only", async () => {
    const { app } = await supervise("serves", { environment: { LISTEN_ON: "::1" } });
    await app.waitUntilReady(never);
    expect(app).toMatchObject({ state: "ready", address: "::1" });
  });

  test("passes the app's lines on and keeps the last 20", async () => {
    const { app, output } = await supervise("fails");
    await eventually(() => expect(output.length).toBeGreaterThanOrEqual(30));
    await eventually(() => expect(app.state).toBe("crashed"));
    expect(output.slice(0, 2)).toEqual(["line 1", "line 2"]);
    expect(app.lastLines.length).toBe(20);
    expect(app.lastLines.at(-1)).toBe("\u001B[31mError: <script>alert(1)</script>\u001B[39m");
  });

  test("warns when the app does not listen, and does not end it", async () => {
    const { app, log, output, port } = await supervise("never-listens", { slowStartMs: 300 });
    const warning = await eventually(() => log.find(({ event }) => event === "app-not-listening") ?? fail());
    expect(warning.message).toContain(`must listen on the port in \`PORT\`, ${port}`);
    await eventually(() => expect(output).toEqual(["thinking"]));
    expect(app.state).toBe("starting");
    expect(isAlive(app.pid ?? 0)).toBe(true);
  });

  test("finds the app where it says that it listens, if it ignores PORT", async () => {
    const other = await pickFreePort();
    const environment = {
      LISTENS: String(other),
      SAYS: `  Local: http://localhost:\u001B[1m${other}\u001B[22m/`,
    };
    const { app, log, port } = await supervise("never-listens", { environment });
    await app.waitUntilReady(never);
    expect(app.origin.port).toBe(String(other));
    expect(log.find(({ event }) => event === "app-port")?.message).toBe(
      `the app listens on ${other}, not on the port in \`PORT\`, ${port}: requests go to ${other}`,
    );
  });

  test("finds the app by a later line, if a server that is not its own was named first", async () => {
    const foreign = await occupyPort();
    const other = await pickFreePort();
    const says = ["see http://localhost:99999", `search: http://localhost:${foreign}`];
    const environment = {
      LISTENS: String(other),
      SAYS: [...says, `Example app listening on port ${other}`].join("\n"),
    };
    const { app } = await supervise("never-listens", { environment });
    await app.waitUntilReady(never);
    expect(app.origin.port).toBe(String(other));
  });

  test("takes the port at which the app says that it listens before one that it mentions", async () => {
    const [mentioned, claimed] = [await pickFreePort(), await pickFreePort()];
    const environment = {
      LISTENS: `${mentioned},${claimed}`,
      SAYS: `[api] http://localhost:${mentioned}\n  Local: http://localhost:${claimed}/`,
    };
    const { app } = await supervise("never-listens", { environment });
    await app.waitUntilReady(never);
    expect(app.origin.port).toBe(String(claimed));
  });

  test("remembers the last eight ports of an app that names many, and what it says that it listens on", async () => {
    const other = await pickFreePort();
    const many = Array.from({ length: 20 }, (_, index) => `calls http://localhost:${index + 1}/`);
    const environment = {
      LISTENS: String(other),
      SAYS: [`Local: http://localhost:${other}/`, ...many].join("\n"),
    };
    const { app } = await supervise("never-listens", { environment });
    await app.waitUntilReady(never);
    expect(app.origin.port).toBe(String(other));
  });

  test("names the port that the app says it listens on instead", async () => {
    const environment = { SAYS: "  Local: http://localhost:\u001B[1m5173\u001B[22m/" };
    const { log } = await supervise("never-listens", { environment });
    const warning = await eventually(() => log.find(({ event }) => event === "app-not-listening") ?? fail());
    expect(warning.message).toContain("--app-port 5173");
  });

  test("names no port that another program has, and none that the app only mentions", async () => {
    const foreign = `Local: http://localhost:${await occupyPort()}/`;
    const mention = `API proxied to http://localhost:${await pickFreePort()}`;
    const claimed = await pickFreePort();
    const environment = { SAYS: [foreign, mention, `listening on port ${claimed}`, foreign].join("\n") };
    const { app, log } = await supervise("never-listens", { environment });
    const warning = await eventually(() => log.find(({ event }) => event === "app-not-listening") ?? fail());
    expect(warning.message).toContain(`--app-port ${claimed}`);
    expect(app.state).toBe("starting");
  });

  test("does not take another program on the port for the app, and starts it once that has ended", async () => {
    const port = await pickFreePort();
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    onTestFinished(() => void squatter.close());
    const { app, log } = await supervise("serves", { port });
    const taken = await eventually(() => log.find(({ event }) => event === "app-port-taken") ?? fail());
    expect(taken.message).toContain(`must have port ${port}, which is in use by node (pid ${process.pid}, `);
    expect(taken.fields?.["hint"]).toMatch(new RegExp(`^kill ${process.pid} .*\n--app-port 0 `));
    expect(app).toMatchObject({ state: "blocked", portTaker: { pid: process.pid } });
    const states: AppState[] = [];
    app.onState((state) => states.push(state));
    squatter.close();
    await app.waitUntilReady(never);
    expect(states).toEqual(["starting", "ready"]);
    expect(app.portTaker).toBeUndefined();
    expect(log.map(({ event }) => event)).toEqual(["app-port-taken", "app-ready"]);
  });

  test("tells of the next program that takes the port before the app could", async (context) => {
    if (process.platform === "win32") context.skip("who holds a port is not known on Windows");
    // Both listen from the start, so that there is no moment in which the app would get the port.
    const port = await pickFreePort();
    const [first, second] = [await squat(port, "127.0.0.1"), await squat(port, "::1")];
    const { app, log } = await supervise("serves", { port });
    const told = async (pid: number | undefined): Promise<void> => {
      await eventually(() => expect(log.at(-1)?.fields?.["hint"]).toContain(`kill ${pid} `));
      expect(app).toMatchObject({ state: "blocked", portTaker: { pid } });
    };
    await eventually(() => expect(log).toHaveLength(1));
    const [taker, other] = app.portTaker?.pid === first.pid ? [first, second] : [second, first];
    await told(taker.pid);
    taker.kill("SIGKILL");
    await told(other.pid);
    other.kill("SIGKILL");
    await app.waitUntilReady(never);
    expect(log.map(({ event }) => event)).toEqual(["app-port-taken", "app-port-taken", "app-ready"]);
  });

  test("does not wait for its port any longer when it is closed", async () => {
    const port = await occupyPort();
    const { app, log } = await supervise("serves", { port });
    await eventually(() => log.find(({ event }) => event === "app-port-taken") ?? fail());
    expect(app).toMatchObject({ state: "blocked", pid: undefined });
    await app.close();
    expect(app.state).toBe("stopped");
  });

  test("runs, restarts and ends an app of which no record can be kept", async () => {
    const stateFolder = join(temporaryFolder(), "file");
    writeFileSync(stateFolder, "");
    const { app, log } = await supervise("serves", { stateFolder });
    await app.waitUntilReady(never);
    const first = app.pid ?? 0;
    app.restart();
    await eventually(() => expect(app.pid).not.toBe(first));
    await app.waitUntilReady(never);
    const second = app.pid ?? 0;
    await app.close();
    expect([first, second].map(isAlive)).toEqual([false, false]);
    expect(log.map(({ event }) => event)).toContain("app-record-failed");
  });

  test("an app that the system refuses to spawn is told of like one that exits at once", async () => {
    const { app, log } = await supervise("serves", { environment: { HUGE: "x".repeat(4 * 1_024 * 1_024) } });
    const exit = await eventually(() => log.find(({ event }) => event === "app-exit") ?? fail());
    expect(exit.message).toMatch(/could not be run: .*E2BIG/);
    await app.close();
    expect(app.state).toBe("stopped");
  });

  test("refuses to wait for an app that is not running", async () => {
    const options = {
      command: fixture("serves"),
      cwd: "/",
      env: {},
      port: 1,
      stateFolder: temporaryFolder(),
    };
    const app = new Supervisor({ ...options, logger: collectLog().logger });
    await expect(app.waitUntilReady(never)).rejects.toMatchObject({ code: "app_failed" });
    await app.close();
  });

  test("stops waiting when the signal is aborted", async () => {
    const { app } = await supervise("never-listens");
    await expect(app.waitUntilReady(AbortSignal.timeout(50))).rejects.toThrow(/aborted/);
  });
});

describe("crashes", () => {
  test("starts the app again after a crash", async () => {
    const { app, port, log } = await supervise("serves");
    await app.waitUntilReady(never);
    const first = app.pid;
    const states: AppState[] = [];
    app.onState((state) => states.push(state));
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => {});
    await eventually(() => expect(states).toEqual(["crashed", "starting", "ready"]));
    expect(app.pid).not.toBe(first);
    expect(log.find(({ event }) => event === "app-exit")?.message).toContain("exited with code 7");
  });

  test("gives up an app that exits at once five times, with its last lines", async () => {
    const { app, output, log } = await supervise("fails");
    const failure = await app.waitUntilReady(never).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "app_failed" });
    expect(failure).toMatchObject({
      fields: {
        lastLines: expect.arrayContaining([
          "\u001B[31mError: <script>alert(1)</script>\u001B[39m",
        ]) as unknown,
      },
    });
    expect(app.state).toBe("crashed");
    expect(output).toHaveLength(5 * 30);
    expect(log.filter(({ event }) => event === "app-given-up")).toHaveLength(1);
  });

  test("gives up a command that is not there at once, and says so", async () => {
    const { app, log } = await supervise("serves", { command: "no-such-command --x" });
    await app.waitUntilReady(never).catch(() => {});
    expect(log.map(({ event }) => event)).toEqual(["app-given-up"]);
    expect(log[0]?.message).toBe("the app `no-such-command --x` was not found; it is tried again in 30 s");
    expect(log[0]?.fields?.["hint"]).toContain("npm install");
  });

  test("advises --app for a command line that was quoted after `--`", async () => {
    const { app } = await supervise("serves", { command: "'no-such-command --x $PORT'" });
    const failure = await app.waitUntilReady(never).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      hint: expect.stringMatching(/^--app 'no-such-command --x \$PORT' /) as unknown,
    });
  });

  test("restart() starts an app that had been given up", async () => {
    const { app, output } = await supervise("fails");
    await app.waitUntilReady(never).catch(() => {});
    app.restart();
    await eventually(() => expect(output.length).toBeGreaterThan(5 * 30));
  });

  test("restart() replaces a running app", async () => {
    const { app } = await supervise("serves");
    await app.waitUntilReady(never);
    const first = app.pid ?? 0;
    app.restart();
    await eventually(() => expect(app.pid).not.toBe(first));
    await app.waitUntilReady(never);
    expect(isAlive(first)).toBe(false);
  });

  test("ends what an app that exited has left in its group", async () => {
    const { app, output } = await supervise("leaves-child");
    const [left = 0] = await announcedPids(output);
    await eventually(() => expect(isAlive(left)).toBe(false));
    await app.close();
  });

  test("reports a folder that does not exist", async () => {
    const { log } = await supervise("serves", { cwd: "/does/not/exist" });
    const exit = await eventually(() => log.find(({ event }) => event === "app-exit") ?? fail());
    expect(exit.message).toContain("could not be run");
  });
});

describe("ending", () => {
  test("close() asks with SIGTERM and leaves nothing", async () => {
    const { app, output, stateFolder } = await supervise("serves");
    await app.waitUntilReady(never);
    const pid = app.pid ?? 0;
    expect(existsSync(join(stateFolder, "app.pid"))).toBe(true);
    await app.close();
    await app.close();
    expect(app.state).toBe("stopped");
    expect(output).toContain("ending");
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(stateFolder, "app.pid"))).toBe(false);
  });

  // Its number may be given to another group, which the guard would end with us.
  test.skipIf(process.platform !== "linux")("leaves no guard of a group that has ended", async () => {
    const { app } = await supervise("serves");
    await app.waitUntilReady(never);
    const first = app.pid ?? 0;
    await eventually(() => expect(guardsOf(first)).toHaveLength(1));
    app.restart();
    await eventually(() => expect(app.pid).not.toBe(first));
    await app.waitUntilReady(never);
    await eventually(() => expect(guardsOf(first)).toEqual([]));
    const second = app.pid ?? 0;
    await app.close();
    await eventually(() => expect(guardsOf(second)).toEqual([]));
  });

  test("close() kills an app and a grandchild that ignore SIGTERM", async () => {
    const { app, output } = await supervise("stubborn", { stopGraceMs: 300 });
    await app.waitUntilReady(never);
    const pids = await announcedPids(output);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await app.close();
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  test("kill() does not wait", async () => {
    const { app, output } = await supervise("stubborn", { stopGraceMs: 60_000 });
    await app.waitUntilReady(never);
    const pids = await announcedPids(output);
    const closed = app.close();
    app.kill();
    await closed;
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  test("close() ends the pause before a restart", async () => {
    const { app } = await supervise("fails");
    await eventually(() => expect(app.state).toBe("crashed"));
    await app.close();
    expect(app.state).toBe("stopped");
    await expect(app.waitUntilReady(never)).rejects.toMatchObject({ code: "app_failed" });
  });
});

function fail(): never {
  throw new Error("not yet");
}
