import { join } from "node:path";

import type { AuthorityCertificate, HeldAuthority } from "./authority-certificate.ts";
import {
  among,
  authoritiesIn,
  parseCertificate,
  toHeldAuthority,
  toStored,
} from "./authority-certificate.ts";
import { type JavaKeystore, javaKeystore } from "./java-keystore.ts";
import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { installCommand } from "./tool-packages.ts";
import { runAsRoot, toRootLine } from "./root-command.ts";
import type { StoredAuthority, TrustStore } from "./trust-store.ts";
import { stateOf, type Verdict } from "./verdict.ts";

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
  /** The file of CAs into which a hook of `update` copies each for Java, and never takes one out of. */
  readonly javaCopy?: { readonly hook: string; readonly cacerts: string };
}

interface SystemStoreOptions {
  readonly layout: AnchorLayout;
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Whether a TLS client of the system accepts a server of this CA; `undefined` if there is none to ask. */
  readonly verify?: (() => Promise<Verdict | undefined>) | undefined;
}

/** The store of the Linux system: what curl, git, Python, Go and most programs read. */
export function systemStore({ layout, ca, machine, verify }: SystemStoreOptions): TrustStore {
  const { anchors, extension, update, refresh = update, bundle } = layout;
  const updater = findProgram(update[0], machine);
  const anchor = join(anchors, `chanctl-${ca?.sha256.slice(0, 16).toLowerCase() ?? "ca"}.${extension}`);
  const java = javaCopyOf(layout, machine);
  const ours = () => anchorsIn(anchors, { ca, machine });
  const isInBundle = () => ca !== undefined && bundleHolds(machine.files.read(bundle), ca.pem);
  /** What is in the bundle may have no anchor any more. */
  const bundled = () => [
    ...(ca !== undefined && isInBundle() ? [ca] : []),
    ...authoritiesIn(machine.files.read(bundle)?.toString("latin1") ?? ""),
  ];
  const toInstall = () => [["install", "-D", "-m", "644", ca?.path ?? "", anchor], [...update]];
  const toUninstall = async (taken: readonly StoredAuthority[]) => {
    const paths = among(ours(), taken).map(({ path }) => path);
    const isBundled = paths.length > 0 || among(bundled(), taken).length > 0;
    const copies = among((await java?.held()) ?? [], taken);
    return [
      ...(paths.length === 0 ? [] : [["rm", "-f", ...paths]]),
      ...(isBundled ? [[...refresh]] : []),
      ...copies.map((copy) => java?.toDeletion(copy) ?? []),
    ];
  };

  return {
    kind: "system",
    name: "system",
    place: anchors,
    ...(machine.isRoot
      ? {}
      : {
          get asRoot() {
            return {
              install: toRootLine(toInstall(), machine),
              uninstall: async (taken: readonly StoredAuthority[]) =>
                toRootLine(await toUninstall(taken), machine),
            };
          },
        }),
    async status(options) {
      const isThere = isInBundle();
      if (!isThere && updater === undefined) {
        const fix = installCommand("ca-certificates", machine);
        return { kind: "blocked", reason: `\`${update[0]}\` is not installed`, fix };
      }
      if (!isThere && ca !== undefined && java?.has(ca) === true)
        return {
          kind: "untrusted",
          reason: `only Java trusts it still, by ${layout.javaCopy?.cacerts ?? ""}`,
        };
      if (!isThere) return { kind: "untrusted" };
      const verdict = options.verify ? await verify?.() : undefined;
      return verdict === undefined ? { kind: "trusted" } : stateOf(verdict);
    },
    async install() {
      const isNew = !machine.files.exists(anchor);
      try {
        return {
          command: await runAsRoot(toInstall(), { step: "add the CA to the system's store", machine }),
        };
      } catch (error) {
        // The next update, of anybody's, would make what lies there trusted.
        if (isNew && !isInBundle() && machine.files.exists(anchor))
          await runAsRoot([["rm", "-f", anchor]], { step: `take ${anchor} away again`, machine });
        throw error;
      }
    },
    async uninstall(taken) {
      const fixes = { [update[0]]: installCommand("ca-certificates", machine) };
      const step = "take the CA out of the system's store";
      return { command: await runAsRoot(await toUninstall(taken), { step, machine, fixes }) };
    },
    async held() {
      return toStored([...bundled(), ...ours(), ...((await java?.held()) ?? [])], ca);
    },
  };
}

/** What Java has been given of the system's store, where there is a Java. */
function javaCopyOf({ javaCopy }: AnchorLayout, machine: Machine): JavaKeystore | undefined {
  const keytool = findProgram("keytool", machine);
  if (javaCopy === undefined || keytool === undefined || !machine.files.exists(javaCopy.hook))
    return undefined;
  return javaKeystore({ cacerts: javaCopy.cacerts, keytool, machine });
}

interface Anchor extends HeldAuthority {
  readonly path: string;
}

/** The CAs of chanctl among the administrator's. */
function anchorsIn(
  folder: string,
  { ca, machine }: Pick<SystemStoreOptions, "ca" | "machine">,
): readonly Anchor[] {
  return machine.files.list(folder).flatMap((file) => {
    const path = join(folder, file);
    const text = machine.files.read(path);
    const certificate = text === undefined ? undefined : parseCertificate(text);
    const isOwn = certificate !== undefined && ca?.der.equals(certificate.raw) === true;
    const held = isOwn ? ca : toHeldAuthority(certificate);
    return held === undefined ? [] : [{ name: held.name, der: held.der, sha1: held.sha1, path }];
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
