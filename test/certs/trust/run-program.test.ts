import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { runProgram } from "#src/certs/trust/run-program.ts";
import { isAlive } from "#src/platform/is-alive.ts";
import { PATIENT } from "../../support/patient.ts";

const OPTIONS = { env: { PATH: process.env["PATH"] }, isAsking: false, timeoutMs: 60_000 };
const RUN_PROGRAM = fileURLToPath(new URL("../../../dist/certs/trust/run-program.js", import.meta.url));

/** A file in which a script leaves a process id. */
async function pidFile(): Promise<{ readonly path: string; read(): Promise<number> }> {
  const folder = await mkdtemp(join(tmpdir(), "chanctl-run-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "pid");
  return { path, read: async () => Number(await readFile(path, "utf8").catch(() => "")) };
}

describe("a program of a trust store", () => {
  it("is ended when its time is over, and told of, though what it has started holds its output", async () => {
    const file = await pidFile();
    const command = ["sh", "-c", `trap '' TERM; sleep 600 & echo $! > ${file.path}; wait`];
    const { code, stderr } = await runProgram(command, { ...OPTIONS, timeoutMs: 500 });
    process.kill(await file.read(), "SIGKILL"); // it has inherited that TERM is ignored
    expect({ code, stderr }).toEqual({ code: 127, stderr: "sh did not end within 0.5 s, and was ended" });
  });

  it("is ended when it writes without end, and told of", async () => {
    const { code, stderr } = await runProgram(["yes"], OPTIONS);
    expect({ code, stderr }).toEqual({ code: 127, stderr: "yes wrote without end, and was ended" });
  });

  it("that is not there is told of", async () => {
    expect(await runProgram(["/nowhere"], OPTIONS)).toMatchObject({
      code: 127,
      stderr: "/nowhere cannot be started (ENOENT)",
    });
  });

  it("has an end of its input at once, and gives back its words and code", async () => {
    expect(await runProgram(["sh", "-c", "cat; echo out; echo err >&2; exit 3"], OPTIONS)).toEqual({
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  it.each([
    ["SIGTERM", { exitCode: null, signal: "SIGTERM" }],
    ["an exception", { exitCode: 1, signal: null }],
  ] as const)("ends with the process that runs it: %s", async (_, end) => {
    const file = await pidFile();
    const code = `
      const { runProgram } = await import(${JSON.stringify(RUN_PROGRAM)});
      process.stdin.once("data", () => { throw new Error("planted"); });
      void runProgram(["sh", "-c", "echo $$ > ${file.path}; exec sleep 600"], ${JSON.stringify(OPTIONS)});`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "pipe" });
    const exit = once(owner, "exit");
    await expect.poll(() => file.read(), PATIENT).toBeGreaterThan(0);
    if (end.signal === null) owner.stdin.write("now\n");
    else owner.kill(end.signal);
    const [exitCode, signal] = await exit;
    expect({ exitCode, signal }).toEqual(end);
    await expect.poll(async () => isAlive(await file.read()), PATIENT).toBe(false);
  });
});
