import {
  AUTHORITY_PREFIX,
  type AuthorityCertificate,
  authoritiesIn,
  type HeldAuthority,
  toStored,
} from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { runAsRoot, toRootLine } from "./root-command.ts";
import { installCommand } from "./tool-packages.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { TrustStore } from "./trust-store.ts";

interface JavaStoreOptions {
  /** The file `cacerts` of the JAVA_HOME. */
  readonly cacerts: string;
  /** That of the JAVA_HOME, else one of the PATH; `undefined` where there is none. */
  readonly keytool: string | undefined;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
}

/** The store of a Java: only of the one that JAVA_HOME names. */
export function javaStore({ cacerts, keytool: given, ca, machine }: JavaStoreOptions): TrustStore {
  const isMissing = given === undefined;
  const keytool = given ?? "keytool";
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
  const isHolding = (text: string | Buffer) => machine.files.read(cacerts)?.includes(text) === true;
  /** Certificates lie in the file as they are; a Java takes half a second to start. */
  const isInFile = () => ca !== undefined && isHolding(ca.der);
  const heldHere = async (): Promise<readonly AliasedAuthority[]> => {
    if (isMissing || !(isInFile() || isHolding(AUTHORITY_PREFIX))) return [];
    return parseListing((await machine.run(toCommand(["-list", "-rfc"]))).stdout);
  };
  const run = async (step: string, all: readonly (readonly string[])[]): Promise<void> => {
    const commands = all.map(toCommand);
    if (isOthers) return runAsRoot(commands, { step, machine });
    for (const command of commands)
      assertDone(await machine.run(command), { step, command: toCommandLine(command) });
  };

  return {
    kind: "java",
    name: "Java",
    place: cacerts,
    ...(isOthers
      ? {
          asRoot: {
            install: toRootLine([toCommand(addition)], machine),
            uninstall: async () => toRootLine(deletionsOf(await heldHere()).map(toCommand), machine),
          },
        }
      : {}),
    async status({ verify }) {
      const isThere = isInFile();
      if (isMissing && !isThere) {
        return {
          kind: "blocked",
          reason: "this Java has no `keytool`, nor is there one on the PATH",
          fix: installCommand("keytool", machine),
        };
      }
      if (!verify || isMissing) return isThere ? { kind: "trusted" } : { kind: "untrusted" };
      const isListed = (await heldHere()).some(({ der }) => ca?.der.equals(der) === true);
      return isListed ? { kind: "trusted", verifiedBy: "keytool" } : { kind: "untrusted" };
    },
    async install() {
      if (ca === undefined || isInFile()) return {};
      await run(`add the CA to ${cacerts}`, [addition]);
      return { note: "restart what runs on that Java" };
    },
    async uninstall() {
      const held = await heldHere();
      if (held.length === 0) return {};
      await run(`take the CA out of ${cacerts}`, deletionsOf(held));
      return { note: "restart what runs on that Java" };
    },
    held: async () => toStored(await heldHere(), ca),
  };
}

function deletionsOf(held: readonly AliasedAuthority[]): readonly (readonly string[])[] {
  return held.map(({ alias }) => ["-delete", "-alias", alias]);
}

interface AliasedAuthority extends HeldAuthority {
  /** The name by which keytool knows it. */
  readonly alias: string;
}

/**
 * The CAs of chanctl in what `keytool -list -rfc` prints.
 *
 * ```
 * Alias name: chanctl local ca 1a2b3c4d
 * …
 * -----BEGIN CERTIFICATE-----
 * ```
 */
function parseListing(listing: string): readonly AliasedAuthority[] {
  return listing.split(/^Alias name: /m).flatMap((entry) => {
    const [alias = ""] = entry.split(/\r?\n/, 1);
    return alias === "" ? [] : authoritiesIn(entry).map((authority) => ({ ...authority, alias }));
  });
}
