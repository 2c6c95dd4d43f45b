import type { AuthorityCertificate } from "./authority-certificate.ts";
import { findStores, type StorePlace } from "./find-stores.ts";
import { type JavaPlace, javaStore } from "./java-store.ts";
import { keychainStore } from "./keychain-store.ts";
import type { Machine } from "./machine.ts";
import { nssStore } from "./nss-store.ts";
import { passiveStore } from "./passive-store.ts";
import { systemStore } from "./system-store.ts";
import type { StoreKind, TrustStore } from "./trust-store.ts";
import type { Verdict } from "./verdict.ts";
import { windowsStore } from "./windows-store.ts";

interface OpenStoresOptions {
  /** `undefined` where no CA has been made: nothing is trusted then. */
  readonly ca: AuthorityCertificate | undefined;
  readonly machine: Machine;
  /** Which kinds. @default all */
  readonly kinds?: readonly StoreKind[] | undefined;
  /** Asks a TLS client of the system about a real server of the CA. @default nobody is asked */
  readonly verify?: (() => Promise<Verdict | undefined>) | undefined;
  /** The same, of a client with the NSS database of a folder. */
  readonly verifyNss?: ((folder: string) => Promise<Verdict | undefined>) | undefined;
  /** The same, of a Java with a file of CAs. */
  readonly verifyJava?: ((place: JavaPlace) => Promise<Verdict | undefined>) | undefined;
}

/** Every trust store of this machine that can be asked. */
export function openStores({ kinds, ...options }: OpenStoresOptions): readonly TrustStore[] {
  return findStores(options.machine)
    .map((place) => openStore(place, options))
    .filter(({ kind }) => kinds === undefined || kinds.includes(kind));
}

function openStore(
  place: StorePlace,
  { ca, machine, verify, verifyNss, verifyJava }: Omit<OpenStoresOptions, "kinds">,
): TrustStore {
  switch (place.kind) {
    case "anchors":
      return systemStore({ layout: place.layout, ca, machine, verify });
    case "keychain":
      return keychainStore({ ca, machine });
    case "windows":
      return windowsStore({ ca, machine, isWsl: place.isWsl });
    case "nss":
      return nssStore({
        kind: "nss",
        name: place.name,
        folder: place.folder,
        ca,
        machine,
        verify: verifyNss,
      });
    case "firefox":
      return nssStore({
        kind: "firefox",
        name: "Firefox",
        folder: place.folder,
        ca,
        machine,
        verify: verifyNss,
      });
    case "firefox-follows":
      return passiveStore({
        kind: "firefox",
        name: "Firefox",
        place: place.folder,
        state: { kind: "inherited", from: place.from },
      });
    case "firefox-unused": {
      const note = "start Firefox once, then run this again";
      const state = { kind: "unused", reason: "not used yet", note } as const;
      return passiveStore({ kind: "firefox", name: "Firefox", place: "no profile", state });
    }
    case "java-home-wrong": {
      const reason = "JAVA_HOME is no Java's folder: it has no lib/security/cacerts";
      const state = { kind: "blocked", reason, fix: place.fix } as const;
      return passiveStore({ kind: "java", name: "Java", place: place.javaHome, state });
    }
    case "java":
    default:
      return javaStore({
        cacerts: place.cacerts,
        keytool: place.keytool,
        ca,
        machine,
        verify: verifyJava,
      });
  }
}
