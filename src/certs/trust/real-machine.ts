import { accessSync, constants, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

import type { FileView, Machine } from "./machine.ts";
import { searchFolders } from "./programs.ts";
import { runProgram } from "./run-program.ts";

interface RealMachineOptions {
  readonly env: Machine["env"];
  readonly homedir: string;
  /** Whether a person sits at a terminal, whom sudo, su and the windows of the system may ask. */
  readonly isTerminal: boolean;
}

/** A tool that hangs, on a locked database say, is not waited for longer. */
const TIMEOUT_MS = 60_000;

/** What `su` writes before it reads the password, from nobody where there is no terminal. */
const SU_PROMPT = "Password: ";
const SU_IN_VAIN = "su asks for root's password, and nobody can be asked here";

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
    async run(command, { mayAskPassword = false, mayOpenWindow = false, timeoutMs = TIMEOUT_MS } = {}) {
      const isAsking = isTerminal && mayAskPassword;
      const limit = isTerminal && (mayAskPassword || mayOpenWindow) ? {} : { timeoutMs };
      // Where nobody is, a sudo would ask in vain on the terminal that it may still find.
      const words = command[0] === "sudo" && !isTerminal ? ["sudo", "-n", ...command.slice(1)] : command;
      const result = await runProgram(words, { env: toolEnv, isAsking, ...limit });
      const isVain = command[0] === "su" && !isAsking && result.stderr.startsWith(SU_PROMPT);
      return isVain ? { ...result, stderr: SU_IN_VAIN } : result;
    },
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
