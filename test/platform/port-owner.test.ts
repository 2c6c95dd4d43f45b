import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { pickFreePort } from "#src/platform/free-port.ts";
import { findListening } from "#src/platform/find-listening.ts";
import { findPortHolder, findPortOwner } from "#src/platform/port-owner.ts";

const cwd = realpathSync(tmpdir());

/** Listens in a process group of its own, until the test ends. */
async function listenInGroup(
  host: string,
  port = 0,
): Promise<{ readonly pid: number; readonly port: number }> {
  const code = `require("node:net").createServer().listen(${port}, "${host}", function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ["-e", code], {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { pid: child.pid ?? 0, port: Number(line) };
}

test.each(["127.0.0.1", "::1", "::"])("names the process that listens on %s", async (host) => {
  const { pid, port } = await listenInGroup(host);
  expect(await findPortOwner(port)).toEqual({ pid, command: "node", cwd });
});

test("tells a process group's port from another's", async () => {
  const [one, two] = [await listenInGroup("127.0.0.1"), await listenInGroup("127.0.0.1")];
  expect(await findPortHolder(one.port, { group: one.pid })).toBe("group");
  expect(await findPortHolder(two.port, { group: one.pid })).toBe("other");
  expect(await findPortHolder(await pickFreePort(), { group: one.pid })).toBe("unknown");
});

test.each([
  ["127.0.0.1", "::1"],
  ["::1", "127.0.0.1"],
])("does not take a port for a group's where another listens on %s and it on %s", async (foreign, own) => {
  const { port } = await listenInGroup(foreign);
  const { pid: group } = await listenInGroup(own, port);
  expect(await findPortHolder(port, { group })).toBe("other");
});

test("finds nobody on a free port", async () => {
  expect(await findPortOwner(await pickFreePort())).toBeUndefined();
});

test("does not take a connected socket for a listening one", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await findListening(port)).toBe("127.0.0.1");
  server.close();
  await once(server, "close");
  expect(await findListening(port)).toBeUndefined();
  expect(await findPortOwner(port)).toBeUndefined();
});
