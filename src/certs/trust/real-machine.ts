import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

import type { FileView, Machine } from "./machine.ts";
import { searchFolders } from "./programs.ts";
import { runProgram } from "./run-program.ts";

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
  const kept = Object.entries(env).filter(([name]) => !STORE_VARIABLES.has(name));
  const toolEnv = { ...Object.fromEntries(kept), ...pathOf(env), LC_ALL: "C" };
  return {
    platform: process.platform,
    env,
    homedir,
    isRoot,
    files: realFiles,
    run: (command, { mayAskPassword = false, timeoutMs = TIMEOUT_MS } = {}) =>
      // Without a terminal a sudo would ask in vain on the one that it may still find.
      command[0] === "sudo" && !isTerminal
        ? runProgram(["sudo", "-n", ...command.slice(1)], { env: toolEnv, isAsking: false, timeoutMs })
        : runProgram(command, { env: toolEnv, isAsking: mayAskPassword && isTerminal, timeoutMs }),
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

/** What a tool of root starts itself, as dpkg does in a hook, lies where the PATH of a user may not look. */
function pathOf(env: Machine["env"]): { readonly PATH?: string } {
  const { platform } = process;
  return platform === "win32" ? {} : { PATH: searchFolders({ platform, env }).join(":") };
}
