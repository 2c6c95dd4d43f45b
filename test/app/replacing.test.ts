import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AppConnections } from "#src/app/app-connections.ts";
import type { AppState } from "#src/app/app.ts";
import type { SupervisorOptions } from "#src/app/supervisor.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { isAlive } from "#src/platform/is-alive.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { eventually, never, supervise } from "./support.ts";

/** An app that answers the version that was last saved when it started. */
async function startVersioned({
  environment = {},
  ...options
}: Partial<SupervisorOptions> & { readonly environment?: NodeJS.ProcessEnv } = {}) {
  const folder = temporaryFolder();
  const [version, release] = [join(folder, "version"), join(folder, "release")];
  const save = (text: string): Promise<void> => writeFile(version, text);
  await save("one");
  const supervised = await supervise("versioned", {
    canMove: true,
    environment: { VERSION: version, RELEASE: release, ...environment },
    ...options,
  });
  const { app, log } = supervised;
  await app.waitUntilReady(never);
  const states: AppState[] = [];
  app.onState((state) => states.push(state));
  const underWay = new Set<Promise<string>>();
  app.onReplaced(async () => void (await Promise.allSettled(underWay)));
  const ask = async (path = "/"): Promise<string> => {
    const answer = fetch(new URL(path, app.origin)).then((response) => response.text());
    underWay.add(answer);
    return answer.finally(() => underWay.delete(answer));
  };
  const told = (event: string) => eventually(() => log.find((entry) => entry.event === event) ?? fail());
  return { ...supervised, save, ask, states, told, release };
}

test("the new app answers as soon as it listens, and the old one ends; in between the state stays ready", async () => {
  const { app, save, ask, states, told } = await startVersioned();
  const [pid = 0, { port }] = [app.pid, app];
  await save("two");
  app.replace();
  expect(app.isOutdated).toBe(true);
  expect(await ask()).toBe("one");
  await told("app-replaced");
  expect(app.isOutdated).toBe(false);
  expect(await ask()).toBe("two");
  expect(app.port).not.toBe(port);
  await eventually(() => expect(isAlive(pid)).toBe(false));
  expect(states).toEqual([]);
});

test("a request under way at the old app is answered before that ends", async () => {
  const { app, save, ask, told, release } = await startVersioned();
  const pid = app.pid ?? 0;
  const connections = new AppConnections(app);
  onTestFinished(() => connections.close());
  const connection = connections.take();
  const slow = ask("/slow");
  await save("two");
  app.replace();
  await told("app-replaced");
  expect(isAlive(pid)).toBe(true);
  await writeFile(release, "");
  expect(await slow).toBe("one");
  expect(isAlive(pid)).toBe(true);
  connections.giveBack(connection);
  await eventually(() => expect(isAlive(pid)).toBe(false));
});

test("an old app whose requests never end is ended all the same, and that is told", async () => {
  const { app, save, told } = await startVersioned({ drainMs: 300 });
  const pid = app.pid ?? 0;
  app.onReplaced(() => new Promise(() => {}));
  await save("two");
  app.replace();
  await told("app-replaced");
  await eventually(() => expect(isAlive(pid)).toBe(false));
  expect((await told("app-cut-off")).message).toContain("are cut off");
});

test("an old app with a request under way is told of, once, and stays for longer than 5 s would be", async () => {
  const { app, save, ask, told, log, release } = await startVersioned({ hurriedDrainMs: 20 });
  const pid = app.pid ?? 0;
  const slow = ask("/slow");
  await save("two");
  app.replace();
  await told("app-leaves");
  expect(isAlive(pid)).toBe(true);
  await writeFile(release, "");
  expect(await slow).toBe("one");
  await eventually(() => expect(isAlive(pid)).toBe(false));
  expect(log.filter(({ event }) => event === "app-leaves")).toHaveLength(1);
  expect(log.map(({ event }) => event)).not.toContain("app-cut-off");
});

test("an old app still under way is ended soon after a further replacement begins", async () => {
  const { app, save, ask, told } = await startVersioned({ hurriedDrainMs: 50 });
  const pid = app.pid ?? 0;
  const slow = ask("/slow").catch(() => "cut off");
  await save("two");
  app.replace();
  await told("app-replaced");
  await told("app-leaves");
  expect(isAlive(pid)).toBe(true);
  await save("three");
  app.replace();
  expect(await slow).toBe("cut off");
  await eventually(() => expect(isAlive(pid)).toBe(false));
});

test("at most three runs of the app live, however many old ones have requests under way", async () => {
  const { app, save, ask, states, stateFolder } = await startVersioned({ hurriedDrainMs: 60_000 });
  const pids: number[] = [];
  const slow: Promise<string>[] = [];
  for (const version of ["two", "three", "four"]) {
    pids.push(app.pid ?? 0);
    slow.push(ask("/slow").catch(() => "cut off"));
    await save(version);
    app.replace();
    await eventually(async () => expect(await ask()).toBe(version));
  }
  pids.push(app.pid ?? 0);
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, true, true, true]));
  const recorded = JSON.parse(await readFile(join(stateFolder, "app.pid"), "utf8")) as { pid: number }[];
  expect(recorded.map(({ pid }) => pid)).toEqual(pids.slice(1));
  expect(states).toEqual([]);
  expect(await slow[0]).toBe("cut off");
  await app.close();
});

test("a new app that exits leaves the old one in its place, and its last lines are told", async () => {
  const { app, save, ask, states, told } = await startVersioned();
  await save("broken");
  app.replace();
  const { message, fields } = await told("app-not-replaced");
  expect(message).toBe("the app stays as it was before the save, for the new one exited with code 1");
  expect(fields?.["lastLines"]).toEqual(["SyntaxError: broken"]);
  expect(await ask()).toBe("one");
  expect(app.isOutdated).toBe(false);
  expect(states).toEqual([]);
  await save("two");
  app.replace();
  await told("app-replaced");
  expect(await ask()).toBe("two");
});

test("a new app that never listens leaves the old one in its place", async () => {
  const { app, save, ask, told } = await startVersioned({ successorWithinMs: 300 });
  await save("hangs");
  app.replace();
  expect((await told("app-not-replaced")).message).toContain("the new one did not listen in time");
  expect(await ask()).toBe("one");
});

test("a save while the new app starts starts it once more: the last save is what answers", async () => {
  const { app, save, ask, told, log } = await startVersioned();
  await save("hangs");
  app.replace();
  await eventually(() => expect(app.isOutdated).toBe(true));
  await save("three");
  app.replace();
  await told("app-replaced");
  expect(await ask()).toBe("three");
  expect(log.filter(({ event }) => event === "app-replaced")).toHaveLength(1);
});

test("an app that cannot run twice is stopped before it starts again, and from then on at once", async () => {
  const { app, save, ask, states, told, log } = await startVersioned({
    environment: { LOCK: String(await pickFreePort()) },
  });
  await save("two");
  app.replace();
  expect((await told("app-not-twice")).message).toContain("EADDRINUSE");
  await eventually(() => expect(states).toEqual(["starting", "ready"]));
  expect(await ask()).toBe("two");
  await save("three");
  app.replace();
  await eventually(() => expect(states).toEqual(["starting", "ready", "starting", "ready"]));
  expect(await ask()).toBe("three");
  expect(log.filter(({ event }) => event === "app-not-twice")).toHaveLength(1);
});

test("an app with a port of its own is stopped before it starts again", async () => {
  const { app, save, ask, states, port } = await startVersioned({ canMove: false });
  await save("two");
  app.replace();
  await eventually(() => expect(states).toEqual(["starting", "ready"]));
  expect(await ask()).toBe("two");
  expect(app.port).toBe(port);
});

test("the old app may crash while the new one starts", async () => {
  const { app, save, ask } = await startVersioned();
  await save("two");
  app.replace();
  process.kill(app.pid ?? 0, "SIGKILL");
  await eventually(async () => expect(await ask()).toBe("two"));
});

test("close() ends the run that answers, the one that starts and the one that was replaced", async () => {
  const { app, save, told, stateFolder } = await startVersioned();
  const first = app.pid ?? 0;
  app.onReplaced(() => new Promise(() => {}));
  await save("two");
  app.replace();
  await told("app-replaced");
  const second = app.pid ?? 0;
  await save("hangs");
  app.replace();
  await app.close();
  expect([first, second].map(isAlive)).toEqual([false, false]);
  await expect(rm(join(stateFolder, "app.pid"))).rejects.toMatchObject({ code: "ENOENT" });
});

function fail(): never {
  throw new Error("not yet");
}
