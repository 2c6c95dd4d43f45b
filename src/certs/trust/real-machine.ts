import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

import { errorCodeOf } from "../../shared/errors.ts";
import type { CommandResult, FileView, Machine } from "./machine.ts";
import { searchFolders } from "./programs.ts";

interface RealMachineOptions {
  readonly env: Machine["env"];
  readonly homedir: string;
  /** Whether sudo or su may ask for a password here. */
  readonly isTerminal: boolean;
}

/** A tool that hangs, on a locked database say, is not waited for longer. */
const TIMEOUT_MS = 60_000;

/** Names of stores that the caller's shell may have set for one tool: the machine's own are meant here. */
const STORE_VARIABLES = new Set([
  "CURL_CA_BUNDLE",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "CURL_HOME",
  "NSS_DEFAULT_DB_TYPE",
]);

/** This machine. */
export function realMachine({ env, homedir, isTerminal }: RealMachineOptions): Machine {
  const isRoot = process.getuid?.() === 0;
  return {
    platform: process.platform,
    env,
    homedir,
    isRoot,
    files: realFiles,
    run: (command, { mayAskPassword = false, timeoutMs = TIMEOUT_MS } = {}) =>
      // Without a terminal a sudo would ask in vain on the one that it may still find.
      command[0] === "sudo" && !isTerminal
        ? run(["sudo", "-n", ...command.slice(1)], { env, isAsking: false, timeoutMs })
        : run(command, { env, isAsking: mayAskPassword && isTerminal, timeoutMs }),
  };
}

const realFiles: FileView = {
  exists: existsSync,
  list: (folder) => orAbsent(() => readdirSync(folder).sort()) ?? [],
  read: (path) => orAbsent(() => readFileSync(path)),
  readLink: (path) => orAbsent(() => readlinkSync(path)),
  canWrite: (path) => orAbsent(() => (accessSync(path, constants.W_OK), true)) ?? false,
};

function orAbsent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function run(
  [program = "", ...args]: readonly string[],
  {
    env,
    isAsking,
    timeoutMs,
  }: Pick<RealMachineOptions, "env"> & { readonly isAsking: boolean; readonly timeoutMs: number },
): Promise<CommandResult> {
  const kept = Object.entries(env).filter(([name]) => !STORE_VARIABLES.has(name));
  const child = spawn(program, args, {
    env: { ...Object.fromEntries(kept), ...pathOf(env), LC_ALL: "C" },
    stdio: [isAsking ? "inherit" : "ignore", "pipe", isAsking ? "inherit" : "pipe"],
    // A person may take their time over a password. Not `timeout`: its timer would keep us alive for as long as
    // that where the program cannot even be started.
    ...(isAsking ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    windowsHide: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once("error", (error) =>
      resolve({ code: 127, stdout, stderr: startFailure(program, { error, timeoutMs }) }),
    );
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** What a tool of root starts itself, as dpkg does in a hook, lies where the PATH of a user may not look. */
function pathOf(env: Machine["env"]): { readonly PATH?: string } {
  const { platform } = process;
  return platform === "win32" ? {} : { PATH: searchFolders({ platform, env }).join(":") };
}

function startFailure(program: string, { error, timeoutMs }: { error: Error; timeoutMs: number }): string {
  if (error.name === "AbortError") return `${program} did not end within ${timeoutMs / 1_000} s`;
  return `${program} cannot be started (${errorCodeOf(error) ?? error.message})`;
}
