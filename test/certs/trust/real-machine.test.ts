import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { realMachine } from "#src/certs/trust/real-machine.ts";

/** This machine with a program of ours on its PATH. */
async function machineWith(name: string, { script, isTerminal }: { script: string; isTerminal: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), "chanctl-machine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
  const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  return realMachine({ env, homedir: folder, isTerminal });
}

describe.runIf(process.platform !== "win32")("a program of this machine", () => {
  it("is waited for while the system asks a person in a window, and not where nobody is", async () => {
    const options = { mayOpenWindow: true, timeoutMs: 1 };
    const attended = await machineWith("asks", { script: "sleep 0.1", isTerminal: true });
    expect(await attended.run(["asks"], options)).toMatchObject({ code: 0 });
    const alone = await machineWith("asks", { script: "exec sleep 600", isTerminal: false });
    expect(await alone.run(["asks"], options)).toMatchObject({
      code: 127,
      stderr: expect.stringContaining("did not end"),
    });
  });

  it("is told of in words where it is a `su` that could ask nobody", async () => {
    const script = "printf 'Password: ' >&2; echo 'su: Authentication failure' >&2; exit 1";
    const machine = await machineWith("su", { script, isTerminal: false });
    const { stderr } = await machine.run(["su", "-c", "id"], { mayAskPassword: true });
    expect(stderr).toBe("su asks for root's password, and nobody can be asked here");
  });
});
