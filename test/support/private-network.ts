import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { TestContext } from "vitest";

import { requirePrograms, skipOrFail } from "./requires.ts";

const run = promisify(execFile);

const SETUP = `ip link set lo up
ip link add wlan0 type veth peer name peer0
ip link set peer0 up
ip link set wlan0 up`;

/** A network in which a program is alone: its addresses can change under it. It ends with the program. */
export interface PrivateNetwork {
  /** The words before a command that runs it there; its process is the one that is started. */
  readonly words: readonly string[];
  /** Has the machine as that process sees it move: from now on it has this address of IPv4, or none. */
  move(pid: number, to: { readonly address: string | undefined }): Promise<void>;
}

/** A network that begins with one address of IPv4. Needs user and network namespaces, else the test is skipped. */
export async function privateNetwork(context: TestContext, address: string): Promise<PrivateNetwork> {
  requirePrograms(context, "unshare", "nsenter", "ip");
  const inside = ["--user", "--net"];
  const script = `set -e\n${SETUP}\nip addr add ${address}/24 dev wlan0\nexec "$@"`;
  const words = ["unshare", ...inside, "--map-root-user", "sh", "-c", script, "sh"];
  const [program = "", ...rest] = words;
  await run(program, [...rest, "true"]).catch(() => skipOrFail(context, "needs network namespaces"));
  const move: PrivateNetwork["move"] = async (pid, to) => {
    const add = to.address === undefined ? "" : `ip addr add ${to.address}/24 dev wlan0`;
    const change = `ip -4 addr flush dev wlan0\n${add}`;
    await run("nsenter", ["--target", String(pid), ...inside, "sh", "-e", "-c", change]);
  };
  return { words, move };
}
