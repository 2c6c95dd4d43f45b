import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/**
 * Copies the system's trust store for one test. Needs root on a Debian for a mount namespace, else the test is
 * skipped.
 */
export async function privateSystem(context: TestContext): Promise<PrivateSystem> {
  requirePrograms(context, "unshare", "curl", "update-ca-certificates");
  const folder = await mkdtemp(join(tmpdir(), "chanctl-system-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run("cp", ["-a", "/etc/ssl", "/usr/local/share/ca-certificates", folder]);
  const mounts = `
    mount --bind ${folder}/ssl /etc/ssl
    mount --bind ${folder}/ca-certificates /usr/local/share/ca-certificates`;
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
    `unshare --mount --propagation private sh -c "${mounts.trim().replace(/\n\s*/, " && ")} && exec ${command}"`;
  return { script, toLine };
}
