import { join } from "node:path";

import type { AuthorityCertificate, HeldAuthority } from "./authority-certificate.ts";
import { parseCertificate, toHeldAuthority, toStored } from "./authority-certificate.ts";
import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { installCommand } from "./tool-packages.ts";
import { runAsRoot, toRootLine } from "./root-command.ts";
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
  const ours = () => anchorsIn(anchors, { ca, machine });
  const isInBundle = () => ca !== undefined && bundleHolds(machine.files.read(bundle), ca.pem);
  const commands = {
    install: () => [["install", "-D", "-m", "644", ca?.path ?? "", anchor], [...update]],
    uninstall: () => [["rm", "-f", ...ours().map(({ path }) => path)], [...refresh]],
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
              install: toRootLine(commands.install(), machine),
              uninstall: async () => toRootLine(commands.uninstall(), machine),
            };
          },
        }),
    async status(options) {
      const isThere = isInBundle();
      if (!isThere && updater === undefined) {
        const fix = installCommand("ca-certificates", machine);
        return { kind: "blocked", reason: `\`${update[0]}\` is not installed`, fix };
      }
      if (!isThere) return { kind: "untrusted" };
      const verdict = options.verify ? await verify?.() : undefined;
      if (verdict === undefined) return { kind: "trusted" };
      if (verdict.refusal === undefined) return { kind: "trusted", verifiedBy: verdict.by };
      return { kind: "untrusted", reason: `${verdict.by} refuses it: ${verdict.refusal}` };
    },
    async install() {
      await runAsRoot(commands.install(), { step: "add the CA to the system's store", machine });
      return {};
    },
    async uninstall() {
      if (ours().length === 0 && !isInBundle()) return {};
      await runAsRoot(commands.uninstall(), { step: "take the CA out of the system's store", machine });
      return {};
    },
    async held() {
      const anchored = toStored(ours(), ca);
      // Of an anchor that somebody has deleted without making the bundle anew.
      const isLeft = ca !== undefined && !anchored.some(({ isOwn }) => isOwn) && isInBundle();
      return isLeft ? [{ name: ca.name, isOwn: true }, ...anchored] : anchored;
    },
  };
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
