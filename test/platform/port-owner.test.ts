import { spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { pickFreePort } from "#src/platform/free-port.ts";
import { findListening } from "#src/platform/find-listening.ts";
import { findPortOwner } from "#src/platform/port-owner.ts";

const cwd = realpathSync(tmpdir());

test.each(["127.0.0.1", "::1", "::"])("names the process that listens on %s", async (host) => {
  const code = `require("node:net").createServer().listen(0, "${host}", function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ["-e", code], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  expect(await findPortOwner(Number(line))).toEqual({ pid: child.pid, command: "node", cwd });
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
