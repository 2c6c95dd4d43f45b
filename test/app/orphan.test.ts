import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { AppRecord, endOrphans } from "#src/app/orphan.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { isAlive } from "#src/platform/is-alive.ts";
import { spawnGroup } from "#src/platform/process-group.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { collectLog, eventually, fixture } from "./support.ts";

/** What these tests are not about. */
const { logger } = collectLog();

/** Runs a supervisor in a process of its own. @returns That process, and the ids of what it runs. */
async function superviseApart(
  name: string,
  stateFolder: string,
): Promise<{ child: ChildProcess; pids: number[] }> {
  const supervisor = fileURLToPath(new URL("./fixtures/supervises.mjs", import.meta.url));
  const args = [supervisor, fixture(name), String(await pickFreePort()), stateFolder];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const pids: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, ...numbers] = line.split(" ");
    if (word === "pids" || word === "ready") pids.push(...numbers.map(Number));
    if (word === "ready") break;
  }
  expect(pids.map(isAlive)).not.toContain(false);
  return { child, pids };
}

test("a process that exits without closing its app takes the app along and its record too", async () => {
  const stateFolder = temporaryFolder();
  const { child, pids } = await superviseApart("stubborn", stateFolder);
  child.stdin?.end();
  await once(child, "exit");
  expect(existsSync(join(stateFolder, "app.pid"))).toBe(false);
  await eventually(() => expect(pids.map(isAlive)).not.toContain(true));
});

test("ends the app of a chanctl that was killed, with its children", async () => {
  const stateFolder = temporaryFolder();
  const { child, pids } = await superviseApart("stubborn", stateFolder);
  child.kill("SIGKILL");
  await once(child, "exit");
  // The guard of the group asks it to end meanwhile, which all but the shell ignore.
  const told = collectLog();
  await endOrphans({ stateFolder, logger: told.logger });
  expect(pids.map(isAlive)).not.toContain(true);
  expect(existsSync(join(stateFolder, "app.pid"))).toBe(false);
  // It takes all of the grace, and says so meanwhile.
  expect(told.entries.map(({ event }) => event)).toEqual(["app-left-over"]);
});

test("ends what is left of an app whose first process has exited since", async () => {
  const stateFolder = temporaryFolder();
  const env = { PATH: process.env["PATH"], PORT: String(await pickFreePort()) };
  const leader = spawnGroup(fixture("leaves-child"), { cwd: "/", env });
  new AppRecord({ stateFolder, logger }).add(leader.pid ?? 0);
  const [line] = (await once(leader.stdout, "data")) as [Buffer];
  if (leader.exitCode === null) await once(leader, "exit");
  const child = Number(String(line).split(" ")[1]);
  expect(isAlive(child)).toBe(true);
  expect(await endOrphans({ stateFolder, logger })).toEqual([leader.pid]);
  expect(isAlive(child)).toBe(false);
});

test("ends both runs where one was about to replace the other", async () => {
  const stateFolder = temporaryFolder();
  const record = new AppRecord({ stateFolder, logger });
  const groups = ["one", "two", "three"].map(() => {
    const { pid = 0 } = spawnGroup("sleep 600", { cwd: "/", env: { PATH: process.env["PATH"] } });
    record.add(pid);
    return pid;
  });
  const [gone = 0, ...left] = groups;
  record.remove(gone);
  onTestFinished(() => void process.kill(gone, "SIGKILL"));
  expect(await endOrphans({ stateFolder, logger })).toEqual(left);
  expect(groups.map(isAlive)).toEqual([true, false, false]);
});

test("does not end another process that was given the app's id", async () => {
  const stateFolder = temporaryFolder();
  const other = spawnGroup("sleep 600", { cwd: "/", env: { PATH: process.env["PATH"] } });
  onTestFinished(() => void other.kill("SIGKILL"));
  const pid = other.pid ?? 0;
  new AppRecord({ stateFolder, logger }).add(pid);
  const path = join(stateFolder, "app.pid");
  writeFileSync(path, readFileSync(path, "utf8").replace(/\d+"\}\]$/, '1"}]'));
  expect(await endOrphans({ stateFolder, logger })).toEqual([]);
  expect(isAlive(pid)).toBe(true);
});

test("finds nothing to end without a record, or with one that cannot be read", async () => {
  const stateFolder = temporaryFolder();
  expect(await endOrphans({ stateFolder, logger })).toEqual([]);
  for (const text of ["", "{}", "null", '{"pid":1,"startedAt":"x"}', '{"pid":-1,"startedAt":""}']) {
    writeFileSync(join(stateFolder, "app.pid"), text);
    expect(await endOrphans({ stateFolder, logger })).toEqual([]);
  }
});

test("a record that can be neither written nor removed is a warning each time, never an error", async () => {
  const stateFolder = temporaryFolder();
  mkdirSync(join(stateFolder, "app.pid"));
  const log = collectLog();
  const options = { stateFolder, logger: log.logger };
  const record = new AppRecord(options);
  record.add(process.pid);
  record.remove(process.pid);
  expect(await endOrphans(options)).toEqual([]);
  expect(log.entries.map(({ level, event }) => `${level} ${event}`)).toEqual(
    Array.from({ length: 3 }, () => "warn app-record-failed"),
  );
  for (const { message } of log.entries) expect(message).toContain(join(stateFolder, "app.pid"));
});
