import { posix, win32 } from "node:path";

import type { Machine } from "./machine.ts";

/** A profile folder has one of these from its first start on. */
const MARKS = ["cert9.db", "times.json", "prefs.js"];

/**
 * The folders of every Firefox profile: those in the usual places, of packages, snap and flatpak, and those
 * that a `profiles.ini` names elsewhere.
 */
export function findFirefoxProfiles(machine: Machine): readonly string[] {
  const paths = pathOf(machine);
  const isProfile = (folder: string) => MARKS.some((mark) => machine.files.exists(paths.join(folder, mark)));
  const candidates = rootsOf(machine).flatMap((root) => [
    ...machine.files.list(root).map((name) => paths.join(root, name)),
    ...machine.files.list(paths.join(root, "Profiles")).map((name) => paths.join(root, "Profiles", name)),
    ...namedIn(root, machine),
  ]);
  return [...new Set(candidates)].filter(isProfile);
}

/** Where Firefox keeps its profiles. Since 147 it is the XDG place, unless the old one is there. */
function rootsOf(machine: Machine): readonly string[] {
  const { platform, env, homedir } = machine;
  const paths = pathOf(machine);
  if (platform === "darwin") return [paths.join(homedir, "Library", "Application Support", "Firefox")];
  if (platform === "win32") {
    return [paths.join(env["APPDATA"] || paths.join(homedir, "AppData", "Roaming"), "Mozilla", "Firefox")];
  }
  return [
    paths.join(homedir, ".mozilla/firefox"),
    paths.join(env["XDG_CONFIG_HOME"] || paths.join(homedir, ".config"), "mozilla/firefox"),
    paths.join(homedir, "snap/firefox/common/.mozilla/firefox"),
    paths.join(homedir, "snap/firefox/common/.config/mozilla/firefox"),
    paths.join(homedir, ".var/app/org.mozilla.firefox/.mozilla/firefox"),
    paths.join(homedir, ".var/app/org.mozilla.firefox/config/mozilla/firefox"),
  ];
}

function namedIn(root: string, machine: Machine): readonly string[] {
  const paths = pathOf(machine);
  const ini = machine.files.read(paths.join(root, "profiles.ini"))?.toString() ?? "";
  return Array.from(ini.matchAll(/^Path=(.+?)\r?$/gm), ([, path = ""]) =>
    paths.isAbsolute(path) ? path : paths.join(root, path),
  );
}

function pathOf({ platform }: Machine): typeof posix {
  return platform === "win32" ? win32 : posix;
}
