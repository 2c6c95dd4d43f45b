import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { onTestFinished } from "vitest";
import type { TestContext } from "vitest";

import { requirePrograms, skipOrFail } from "./requires.ts";

const run = promisify(execFile);

/** What a script printed, and how it ended. */
interface ScriptResult {
  readonly code: number;
  readonly stdout: string;
}

/** Runs shell scripts that see, and change, a copy of the system's trust store: the machine's own stays as it is. */
export interface PrivateSystem {
  /** What a person types to run a command, without quotes in it, there. */
  toLine(command: string): string;
  script(text: string, env?: Readonly<Record<string, string>>): Promise<ScriptResult>;
}

/** What update-ca-certificates changes; the last two through the hook of ca-certificates-java. */
const CHANGED = [
  "/etc/ssl",
  "/usr/local/share/ca-certificates",
  "/var/lib/ca-certificates-java",
  "/var/lib/dpkg",
];

/**
 * Copies the system's trust store for one test. Needs root on a Debian for a mount namespace, else the test is
 * skipped.
 */
export async function privateSystem(context: TestContext): Promise<PrivateSystem> {
  requirePrograms(context, "unshare", "curl", "update-ca-certificates");
  const folder = await mkdtemp(join(tmpdir(), "chanctl-system-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const copied = CHANGED.filter((path) => existsSync(path));
  for (const path of copied) {
    await mkdir(dirname(folder + path), { recursive: true });
    await run("cp", ["-a", path, folder + path]);
  }
  const mounts = copied.map((path) => `mount --bind ${folder}${path} ${path}`).join("\n");
  const script: PrivateSystem["script"] = async (text, env = {}) => {
    const inside = `set -e; ${mounts}\nset +e\n${text}`;
    const options = { env: { ...process.env, ...env } };
    // A namespace ends with its last process, and its mounts with it: nothing is left to unmount.
    return run("unshare", ["--mount", "--propagation", "private", "sh", "-c", inside], options).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { readonly code: number; readonly stdout: string }) => ({
        code: error.code,
        stdout: error.stdout,
      }),
    );
  };
  if ((await script("true")).code !== 0) skipOrFail(context, "needs root and mount namespaces");
  const toLine = (command: string): string =>
    `unshare --mount --propagation private sh -c "${mounts.replaceAll("\n", " && ")} && exec ${command}"`;
  return { script, toLine };
}
