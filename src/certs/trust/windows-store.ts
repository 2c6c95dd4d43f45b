import { among, type AuthorityCertificate, toStored } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { TrustStore } from "./trust-store.ts";

interface WindowsStoreOptions {
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Whether we are a Linux inside of it. */
  readonly isWsl: boolean;
}

/**
 * The root store of the Windows user, which Edge, Chrome and Firefox read.
 *
 * Windows asks in a window of its own before it adds a root or takes one out. From WSL the same programs are called, because the
 * browser in front of a WSL project is the one of Windows.
 */
export function windowsStore({ ca, machine, isWsl }: WindowsStoreOptions): TrustStore {
  const certutil = async (step: string, args: readonly string[]): Promise<string> => {
    const words = ["certutil.exe", "-user", ...args];
    const command = toCommandLine(words);
    assertDone(await machine.run(words, { mayOpenWindow: true }), { step, command });
    return command;
  };
  const isThere = async (): Promise<boolean> =>
    ca !== undefined && (await machine.run(["certutil.exe", "-user", "-store", "Root", ca.sha1])).code === 0;
  const heldHere = async () =>
    parseListing((await machine.run(["certutil.exe", "-user", "-store", "Root"])).stdout);
  const windowsPathOf = async (path: string): Promise<string> =>
    isWsl ? (await machine.run(["wslpath", "-w", path])).stdout.trim() || path : path;

  return {
    kind: "system",
    name: "Windows",
    place: "certificates of the current user, Root",
    status: async () => ((await isThere()) ? { kind: "trusted" } : { kind: "untrusted" }),
    async install() {
      if (ca === undefined || (await isThere())) return {};
      const args = ["-addstore", "Root", await windowsPathOf(ca.path)];
      return { command: await certutil("add the CA to Windows", args) };
    },
    async uninstall(taken) {
      const commands: string[] = [];
      for (const { sha1 } of among(await heldHere(), taken))
        commands.push(await certutil("take the CA out of Windows", ["-delstore", "Root", sha1]));
      return { command: commands.join(" && ") };
    },
    held: async () => toStored(await heldHere(), ca),
  };
}

interface ListedAuthority {
  readonly name: string;
  readonly sha1: string;
}

/**
 * The CAs of chanctl in what `certutil.exe -store` prints; its words are of the language of that Windows.
 *
 * ```
 * ================ Certificate 3 ================
 * Issuer: O=chanctl, CN=chanctl local CA 1a2b3c4d
 * Subject: O=chanctl, CN=chanctl local CA 1a2b3c4d
 * Cert Hash(sha1): 5a0f…
 * ```
 */
function parseListing(listing: string): readonly ListedAuthority[] {
  return listing.split(/^=+ .* =+$/m).flatMap((block) => {
    const names = Array.from(block.matchAll(/CN=(chanctl local CA [0-9a-f]{8})\b/g), ([, name = ""]) => name);
    const [, hash] = /\(sha1\): ?([0-9a-f ]+)/i.exec(block) ?? [];
    const sha1 = hash?.replaceAll(" ", "").toUpperCase() ?? "";
    const [name] = names;
    const isAuthority = name !== undefined && names.length >= 2 && names.every((other) => other === name);
    return isAuthority && sha1.length === 40 && block.includes("O=chanctl") ? [{ name, sha1 }] : [];
  });
}
