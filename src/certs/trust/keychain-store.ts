import { join } from "node:path";

import type { AuthorityCertificate } from "./authority-certificate.ts";
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
  const security = async (step: string, args: readonly string[]): Promise<void> => {
    const command = ["security", ...args];
    assertDone(await machine.run(command), { step, command: toCommandLine(command) });
  };
  const isThere = async (): Promise<boolean> => {
    if (ca === undefined) return false;
    const { stdout } = await machine.run([
      "security",
      "find-certificate",
      "-a",
      "-Z",
      "-c",
      ca.name,
      keychain,
    ]);
    return stdout.includes(ca.sha1);
  };

  return {
    kind: "system",
    name: "macOS keychain",
    place: keychain,
    async status() {
      if (ca === undefined || !(await isThere())) return { kind: "untrusted" };
      const { code } = await machine.run(["security", "verify-cert", "-L", "-l", "-c", ca.path]);
      if (code === 0) return { kind: "trusted", verifiedBy: "security" };
      return { kind: "untrusted", reason: "it is there, but not trusted" };
    },
    async install() {
      if (ca === undefined) return {};
      await security("add the CA to the keychain", [
        "add-trusted-cert",
        "-r",
        "trustRoot",
        "-k",
        keychain,
        ca.path,
      ]);
      return {};
    },
    async uninstall() {
      if (ca === undefined || !(await isThere())) return {};
      const step = "take the CA out of the keychain";
      await security(step, ["delete-certificate", "-Z", ca.sha1, "-t", keychain]); // -t: its trust settings too
      return {};
    },
    strangers: async () => [],
  };
}
