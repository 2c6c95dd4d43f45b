import { posix, win32 } from "node:path";

import { findFirefoxProfiles } from "./firefox-profiles.ts";
import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { ANCHOR_LAYOUTS } from "./anchor-layouts.ts";
import type { AnchorLayout } from "./system-store.ts";
import { distributionOf } from "./tool-packages.ts";

/** A place on this machine that can hold the CA. */
export type StorePlace =
  | { readonly kind: "anchors"; readonly layout: AnchorLayout }
  | { readonly kind: "keychain" }
  | { readonly kind: "windows"; readonly isWsl: boolean }
  | { readonly kind: "nss"; readonly name: string; readonly folder: string }
  | { readonly kind: "firefox"; readonly folder: string }
  | { readonly kind: "firefox-follows"; readonly folder: string; readonly from: string }
  | { readonly kind: "firefox-unused" }
  | { readonly kind: "java"; readonly cacerts: string; readonly keytool: string | undefined }
  | { readonly kind: "java-home-wrong"; readonly javaHome: string; readonly fix: string };

const CHROMIUMS = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "microsoft-edge",
  "brave-browser",
  "vivaldi",
];

/** Lists the stores of a machine, by its platform, environment and files alone. Starts nothing. */
export function findStores(machine: Machine): readonly StorePlace[] {
  return [
    ...systemPlaces(machine),
    ...chromiumPlaces(machine),
    ...firefoxPlaces(machine),
    ...javaPlaces(machine),
  ];
}

function systemPlaces(machine: Machine): readonly StorePlace[] {
  if (machine.platform === "darwin") return [{ kind: "keychain" }];
  if (machine.platform === "win32") return [{ kind: "windows", isWsl: false }];
  const layout =
    ANCHOR_LAYOUTS.find(
      ({ anchors, update }) => machine.files.exists(anchors) && findProgram(update[0], machine),
    ) ?? ANCHOR_LAYOUTS.find(({ families }) => families.includes(distributionOf(machine)));
  const isWsl = Boolean(machine.env["WSL_DISTRO_NAME"]) && findProgram("certutil.exe", machine) !== undefined;
  return [
    ...(layout === undefined ? [] : [{ kind: "anchors", layout } as const]),
    ...(isWsl ? [{ kind: "windows", isWsl } as const] : []),
  ];
}

/**
 * The NSS databases that Chromium, Chrome, Edge and Brave read on Linux.
 *
 * Up to 145 a Chromium reads `~/.pki/nssdb` only; from 146 on the XDG place, unless the old one is there. Each
 * that is there is one place; where neither is, the old one is made: every version reads it. It is not made
 * beside an XDG one, which it would hide from a new Chromium together with all that the user has put there.
 *
 * @see https://issues.chromium.org/issues/40666379
 */
function chromiumPlaces(machine: Machine): readonly StorePlace[] {
  if (machine.platform === "darwin" || machine.platform === "win32") return []; // they read the system's
  const { env, homedir, files } = machine;
  const old = posix.join(homedir, ".pki/nssdb");
  const shared = [old, posix.join(env["XDG_DATA_HOME"] || posix.join(homedir, ".local/share"), "pki/nssdb")];
  const confined = [
    posix.join(homedir, "snap/chromium/current"),
    ...files.list(posix.join(homedir, ".var/app")).map((app) => posix.join(homedir, ".var/app", app)),
  ].flatMap((home) =>
    [".pki/nssdb", ".local/share/pki/nssdb", "data/pki/nssdb"].map((path) => posix.join(home, path)),
  );
  const found = [...shared, ...confined].filter((folder) => files.exists(posix.join(folder, "cert9.db")));
  const isWanted = CHROMIUMS.some((name) => findProgram(name, machine)) || findProgram("certutil", machine);
  const isFresh = !shared.some((folder) => found.includes(folder)) && isWanted;
  return [...(isFresh ? [old] : []), ...found].map((folder) => ({ kind: "nss", name: "Chromium", folder }));
}

function firefoxPlaces(machine: Machine): readonly StorePlace[] {
  const { platform } = machine;
  const profiles = findFirefoxProfiles(machine);
  // From 120 on Firefox reads the roots that the user has added to macOS and Windows. What is called `certutil`
  // on Windows is another program.
  const canWrite =
    platform === "linux" || (platform === "darwin" && findProgram("certutil", machine) !== undefined);
  if (!canWrite) {
    const from = platform === "darwin" ? "the macOS keychain" : "Windows";
    return profiles.map((folder) => ({ kind: "firefox-follows", folder, from }));
  }
  const isInstalled = ["firefox", "firefox-esr"].some((name) => findProgram(name, machine));
  if (profiles.length === 0 && isInstalled) return [{ kind: "firefox-unused" }];
  return profiles.map((folder) => ({ kind: "firefox", folder }));
}

function javaPlaces(machine: Machine): readonly StorePlace[] {
  const { files } = machine;
  const javaHome = machine.env["JAVA_HOME"];
  if (!javaHome) return [];
  const paths = machine.platform === "win32" ? win32 : posix;
  const keytool = paths.join(javaHome, "bin", machine.platform === "win32" ? "keytool.exe" : "keytool");
  const cacerts = [
    paths.join(javaHome, "lib", "security", "cacerts"),
    paths.join(javaHome, "jre", "lib", "security", "cacerts"), // Java 8
  ].find((path) => files.exists(path));
  if (cacerts === undefined) return [{ kind: "java-home-wrong", javaHome, fix: javaHomeFix(machine) }];
  return [
    { kind: "java", cacerts, keytool: files.exists(keytool) ? keytool : findProgram("keytool", machine) },
  ];
}

/** The Java of the PATH is the likeliest that was meant. */
function javaHomeFix(machine: Machine): string {
  const { files, platform } = machine;
  let java = platform === "linux" ? findProgram("java", machine) : undefined;
  for (let link = 0; java !== undefined && link < 8; link++) {
    const target = files.readLink(java);
    if (target === undefined) break;
    java = posix.resolve(posix.dirname(java), target);
  }
  const home = java === undefined ? undefined : posix.join(java, "../..");
  const isHome = home !== undefined && files.exists(posix.join(home, "lib/security/cacerts"));
  return isHome ? `export JAVA_HOME=${home}` : "unset JAVA_HOME";
}
