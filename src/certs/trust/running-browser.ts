import { dirname, join } from "node:path";

import type { Machine } from "./machine.ts";

/** The profile folders of those who read the user's shared NSS database. */
const CHROMIUM_FOLDERS = [
  "chromium",
  "google-chrome",
  "google-chrome-beta",
  "microsoft-edge",
  "BraveSoftware/Brave-Browser",
  "vivaldi",
];

/**
 * The process that has this database open, by the lock that the browser keeps: it goes on with the
 * certificates that it has read at its start.
 *
 * ```
 * Firefox   <profile>/lock                      → 127.0.1.1:+4711
 * Chromium  ~/.config/chromium/SingletonLock    → hostname-4711
 * ```
 */
export function runningBrowser(
  folder: string,
  kind: "nss" | "firefox",
  machine: Machine,
): number | undefined {
  const { files, env, homedir } = machine;
  const config = env["XDG_CONFIG_HOME"] || join(homedir, ".config");
  const locks =
    kind === "firefox"
      ? [join(folder, "lock")]
      : [
          ...CHROMIUM_FOLDERS.map((name) => join(config, name, "SingletonLock")),
          join(dirname(dirname(folder)), "chromium", "SingletonLock"), // a snap's
        ];
  return locks
    .map((lock) => Number(/[-+](\d+)$/.exec(files.readLink(lock) ?? "")?.[1] ?? Number.NaN))
    .find((pid) => pid > 0 && files.exists(`/proc/${pid}`));
}
