import { ChanctlError } from "../../shared/errors.ts";
import { among, type AuthorityCertificate, toStored } from "./authority-certificate.ts";
import { javaKeystore } from "./java-keystore.ts";
import type { Machine } from "./machine.ts";
import { runAsRoot, toRootLine } from "./root-command.ts";
import { installCommand } from "./tool-packages.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { StoreChange, TrustStore } from "./trust-store.ts";
import { stateOf, type Verdict } from "./verdict.ts";

/** Where a Java keeps its CAs, and what lists them. */
export interface JavaPlace {
  /** The file `cacerts` of the JAVA_HOME. */
  readonly cacerts: string;
  readonly keytool: string;
}

interface JavaStoreOptions extends Pick<JavaPlace, "cacerts"> {
  /** That of the JAVA_HOME, else one of the PATH; `undefined` where there is none. */
  readonly keytool: string | undefined;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Whether a Java with a file of CAs accepts a server of this CA. @default `keytool` lists it, and no more */
  readonly verify?: ((place: JavaPlace) => Promise<Verdict | undefined>) | undefined;
}

/** The store of a Java: only of the one that JAVA_HOME names. */
export function javaStore({
  cacerts,
  keytool,
  ca,
  machine,
  verify: askClient,
}: JavaStoreOptions): TrustStore {
  const keystore = javaKeystore({ cacerts, keytool: keytool ?? "keytool", machine });
  const isOthers = !machine.isRoot && !machine.files.canWrite(cacerts);
  const addition = keystore.toCommand([
    "-importcert",
    "-noprompt",
    "-trustcacerts",
    "-alias",
    ca?.name ?? "",
    "-file",
    ca?.path ?? "",
  ]);
  const isThere = () => ca !== undefined && keystore.has(ca);
  const heldHere = async () => (keytool === undefined ? [] : keystore.held());
  const deletionsOf = async (taken: Parameters<typeof among>[1]) =>
    among(await heldHere(), taken).map((held) => keystore.toDeletion(held));
  const missing = {
    reason: "this Java has no `keytool`, nor is there one on the PATH",
    fix: installCommand("keytool", machine),
  };
  const note = "restart what runs on that Java";
  const run = async (step: string, commands: readonly (readonly string[])[]): Promise<StoreChange> => {
    if (isOthers) return { note, command: await runAsRoot(commands, { step, machine }) };
    for (const command of commands)
      assertDone(await machine.run(command), { step, command: toCommandLine(command) });
    return { note, command: commands.map(toCommandLine).join(" && ") };
  };

  return {
    kind: "java",
    name: "Java",
    place: cacerts,
    ...(isOthers
      ? {
          asRoot: {
            install: toRootLine([addition], machine),
            uninstall: async (taken) => toRootLine(await deletionsOf(taken), machine),
          },
        }
      : {}),
    async status({ verify }) {
      if (!isThere()) return keytool === undefined ? { kind: "blocked", ...missing } : { kind: "untrusted" };
      if (!verify || keytool === undefined) return { kind: "trusted" };
      const verdict = await askClient?.({ cacerts, keytool });
      if (verdict !== undefined) return stateOf(verdict);
      const isListed = among(await heldHere(), toStored(ca === undefined ? [] : [ca], ca)).length > 0;
      return isListed ? { kind: "trusted", verifiedBy: "keytool" } : { kind: "untrusted" };
    },
    async install() {
      if (ca === undefined || isThere()) return {};
      return run(`add the CA to ${cacerts}`, [addition]);
    },
    async uninstall(taken) {
      const step = `take the CA out of ${cacerts}`;
      if (keytool === undefined)
        throw new ChanctlError("trust_failed", `could not ${step}: ${missing.reason}`, { hint: missing.fix });
      return run(step, await deletionsOf(taken));
    },
    async held() {
      const held = await heldHere();
      return toStored(ca !== undefined && isThere() ? [...held, ca] : held, ca);
    },
  };
}
