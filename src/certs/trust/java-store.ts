import type { AuthorityCertificate } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { installCommand } from "./tool-packages.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { TrustStore } from "./trust-store.ts";

interface JavaStoreOptions {
  /** The file `cacerts` of the JAVA_HOME. */
  readonly cacerts: string;
  /** `undefined` where that JAVA_HOME has none. */
  readonly keytool: string | undefined;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
}

/** The store of a Java: only of the one that JAVA_HOME names. */
export function javaStore({ cacerts, keytool = "keytool", ca, machine }: JavaStoreOptions): TrustStore {
  const isMissing = !machine.files.exists(keytool);
  const isOthers = !machine.isRoot && !machine.files.canWrite(cacerts);
  const toCommand = (args: readonly string[]) => [
    keytool,
    ...args,
    "-keystore",
    cacerts,
    "-storepass",
    "changeit", // the password of every Java's own store, and no secret
    "-J-Duser.language=en",
  ];
  const addition = [
    "-importcert",
    "-noprompt",
    "-trustcacerts",
    "-alias",
    ca?.name ?? "",
    "-file",
    ca?.path ?? "",
  ];
  const run = async (step: string, args: readonly string[]): Promise<void> => {
    const command = toCommand(args);
    const line = toCommandLine(isOthers ? ["sudo", ...command] : command);
    assertDone(await machine.run(command, { asRoot: isOthers }), { step, command: line });
  };
  /** Certificates lie in the file as they are; a Java takes half a second to start. */
  const isInFile = () => ca !== undefined && machine.files.read(cacerts)?.includes(ca.der) === true;
  const aliases = async (): Promise<readonly string[]> => {
    if (ca === undefined || isMissing) return [];
    return parseAliases((await machine.run(toCommand(["-list"]))).stdout, ca.sha256);
  };

  return {
    kind: "java",
    name: "Java",
    place: cacerts,
    ...(isOthers
      ? {
          asRoot: {
            install: toCommandLine(["sudo", ...toCommand(addition)]),
            uninstall: toCommandLine(["sudo", ...toCommand(["-delete", "-alias", ca?.name ?? ""])]),
          },
        }
      : {}),
    async status({ verify }) {
      const isThere = isInFile();
      if (isMissing && !isThere) {
        return {
          kind: "blocked",
          reason: `${keytool} is not there`,
          fix: installCommand("keytool", machine),
        };
      }
      if (!verify) return isThere ? { kind: "trusted" } : { kind: "untrusted" };
      return (await aliases()).length > 0
        ? { kind: "trusted", verifiedBy: "keytool" }
        : { kind: "untrusted" };
    },
    async install() {
      if (ca === undefined || isInFile()) return {};
      await run(`add the CA to ${cacerts}`, addition);
      return { note: "restart what runs on that Java" };
    },
    async uninstall() {
      for (const alias of await aliases())
        await run(`take the CA out of ${cacerts}`, ["-delete", "-alias", alias]);
      return {};
    },
    strangers: async () => [],
  };
}

/**
 * The aliases of a certificate in what `keytool -list` prints.
 *
 * ```
 * chanctl local ca 1a2b3c4d, Nov 22, 2026, trustedCertEntry,
 * Certificate fingerprint (SHA-256): 5A:…
 * ```
 */
function parseAliases(listing: string, sha256: string): readonly string[] {
  const lines = listing.split("\n");
  return lines.flatMap((line, index) => {
    const isOurs = line.replaceAll(":", "").toUpperCase().includes(sha256);
    const [alias = ""] = (lines[index - 1] ?? "").split(/, [A-Z][a-z]{2} /);
    return isOurs && alias !== "" ? [alias] : [];
  });
}
