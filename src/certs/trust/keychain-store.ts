import { join } from "node:path";

import {
  among,
  AUTHORITY_PREFIX,
  type AuthorityCertificate,
  authoritiesIn,
  toStored,
} from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { TrustStore } from "./trust-store.ts";

interface KeychainStoreOptions {
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
}

/**
 * The login keychain of macOS, which Safari, Chrome, Firefox and curl read.
 *
 * The user's, not the system's: macOS asks for the login password in a window of its own, and no sudo is needed.
 */
export function keychainStore({ ca, machine }: KeychainStoreOptions): TrustStore {
  const keychain = join(machine.homedir, "Library/Keychains/login.keychain-db");
  const security = async (step: string, args: readonly string[]): Promise<string> => {
    const words = ["security", ...args];
    const command = toCommandLine(words);
    assertDone(await machine.run(words, { mayOpenWindow: true }), { step, command });
    return command;
  };
  /** `-c` finds every name that this is a part of. */
  const find = ["security", "find-certificate", "-a", "-p", "-c", AUTHORITY_PREFIX.trim(), keychain];
  const heldHere = async () => authoritiesIn((await machine.run(find)).stdout);
  const isThere = async () => ca !== undefined && (await heldHere()).some(({ der }) => der.equals(ca.der));

  return {
    kind: "system",
    name: "macOS",
    place: keychain,
    async status() {
      if (ca === undefined || !(await isThere())) return { kind: "untrusted" };
      const { code } = await machine.run(["security", "verify-cert", "-L", "-l", "-c", ca.path]);
      if (code === 0) return { kind: "trusted", verifiedBy: "security" };
      return { kind: "untrusted", reason: "it is there, but not trusted" };
    },
    async install() {
      if (ca === undefined) return {};
      const args = ["add-trusted-cert", "-r", "trustRoot", "-k", keychain, ca.path];
      return { command: await security("add the CA to the keychain", args) };
    },
    async uninstall(taken) {
      const step = "take the CA out of the keychain";
      const commands: string[] = [];
      for (const { sha1 } of among(await heldHere(), taken))
        commands.push(await security(step, ["delete-certificate", "-Z", sha1, "-t", keychain])); // -t: its trust settings too
      return { command: commands.join(" && ") };
    },
    held: async () => toStored(await heldHere(), ca),
  };
}
