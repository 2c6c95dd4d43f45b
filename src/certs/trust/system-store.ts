import { join } from "node:path";

import type { AuthorityCertificate } from "./authority-certificate.ts";
import { AUTHORITY_PREFIX, commonNameOf, parseCertificate } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { installCommand } from "./tool-packages.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";
import type { TrustStore } from "./trust-store.ts";

/** How a Linux keeps the CAs that its administrator adds. */
export interface AnchorLayout {
  /** Where the administrator's CAs lie. */
  readonly anchors: string;
  readonly extension: "crt" | "pem";
  /** What makes the bundle of them. */
  readonly update: readonly [program: string, ...args: readonly string[]];
  /** The same, after something was taken away. */
  readonly refresh?: readonly [program: string, ...args: readonly string[]];
  /** The bundle that programs read. */
  readonly bundle: string;
}

interface SystemStoreOptions {
  readonly layout: AnchorLayout;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Whether a TLS client of the system accepts a server of this CA; `undefined` if there is none to ask. */
  readonly verify?: (() => Promise<Verdict | undefined>) | undefined;
}

/** What a TLS client said of a real server. */
export interface Verdict {
  /** The client's name. */
  readonly by: string;
  /** Why it refused; absent if it accepted. */
  readonly refusal?: string;
}

/** The store of the Linux system: what curl, git, Python, Go and most programs read. */
export function systemStore({ layout, ca, machine, verify }: SystemStoreOptions): TrustStore {
  const { anchors, extension, update, refresh = update, bundle } = layout;
  const updater = findProgram(update[0], machine);
  const anchor = join(anchors, `chanctl-${ca?.sha256.slice(0, 16).toLowerCase() ?? "ca"}.${extension}`);
  const ours = () => anchorsIn(anchors, machine).filter(({ der }) => ca !== undefined && der.equals(ca.der));
  const commands = {
    install: () => [["install", "-D", "-m", "644", ca?.path ?? "", anchor], [...update]],
    uninstall: () => [["rm", "-f", ...ours().map(({ path }) => path)], [...refresh]],
  };
  const runAll = async (step: string, all: readonly (readonly string[])[]): Promise<void> => {
    for (const command of all) {
      const line = toCommandLine(machine.isRoot ? command : ["sudo", ...command]);
      assertDone(await machine.run(command, { asRoot: true }), { step, command: line, hint: line });
    }
  };
  const lineOf = (all: readonly (readonly string[])[]) => toRootLine(all, findProgram("sudo", machine));

  return {
    kind: "system",
    name: "system",
    place: anchors,
    ...(machine.isRoot
      ? {}
      : {
          get asRoot() {
            return { install: lineOf(commands.install()), uninstall: lineOf(commands.uninstall()) };
          },
        }),
    async status(options) {
      const isInBundle = ca !== undefined && bundleHolds(machine.files.read(bundle), ca.pem);
      if (!isInBundle && updater === undefined) {
        const fix = installCommand("ca-certificates", machine);
        return { kind: "blocked", reason: `\`${update[0]}\` is not installed`, fix };
      }
      if (!isInBundle) return { kind: "untrusted" };
      const verdict = options.verify ? await verify?.() : undefined;
      if (verdict === undefined) return { kind: "trusted" };
      if (verdict.refusal === undefined) return { kind: "trusted", verifiedBy: verdict.by };
      return { kind: "untrusted", reason: `${verdict.by} refuses it: ${verdict.refusal}` };
    },
    async install() {
      await runAll("add the CA to the system's store", commands.install());
      return {};
    },
    async uninstall() {
      if (ours().length === 0 && !(ca !== undefined && bundleHolds(machine.files.read(bundle), ca.pem)))
        return {};
      await runAll("take the CA out of the system's store", commands.uninstall());
      return {};
    },
    strangers: async () =>
      anchorsIn(anchors, machine)
        .filter(
          ({ der, name }) => name.startsWith(AUTHORITY_PREFIX) && (ca === undefined || !der.equals(ca.der)),
        )
        .map(({ name }) => name),
  };
}

interface Anchor {
  readonly path: string;
  readonly der: Buffer;
  readonly name: string;
}

function anchorsIn(folder: string, { files }: Machine): readonly Anchor[] {
  return files.list(folder).flatMap((file) => {
    const path = join(folder, file);
    const certificate = parseCertificate(files.read(path) ?? "");
    return certificate === undefined ? [] : [{ path, der: certificate.raw, name: commonNameOf(certificate) }];
  });
}

/** Bundles break the lines of a certificate as they like. */
function bundleHolds(bundle: Buffer | undefined, pem: string): boolean {
  if (bundle === undefined) return false;
  const text = bundle.toString("latin1");
  const [, firstLine = ""] = pem.split("\n");
  // The first line alone holds the random serial number; joining all lines of a bundle takes 2 ms.
  return text.includes(firstLine) && unwrap(text).includes(unwrap(pem));
}

function unwrap(pem: string): string {
  return pem.replaceAll(/\s|-----[^-]+-----/g, "");
}

/** The line by which a person runs commands as root, where there is no sudo too. */
function toRootLine(commands: readonly (readonly string[])[], sudo: string | undefined): string {
  if (sudo === undefined) return toCommandLine(["su", "-c", commands.map(toCommandLine).join(" && ")]);
  return commands.map((command) => toCommandLine(["sudo", ...command])).join(" && ");
}
