import { posix } from "node:path";

import type { Machine } from "./machine.ts";

const PROGRAMS = new Set(["chromium", "chrome", "msedge", "brave", "vivaldi-bin", "opera"]);

/**
 * The process id of a Chromium, Chrome, Edge, Brave, Vivaldi or Opera of this user that runs on Linux.
 *
 * A Chromium takes a CA that is added while it runs, but not for a host that it has refused before: it keeps that
 * answer, in a new tab and after a reload too. By `/proc` and not by the lock of its profile, which lies wherever
 * `--user-data-dir` says.
 */
export function runningChromium({ platform, homedir, files }: Machine): number | undefined {
  if (platform !== "linux") return undefined;
  const isBrowser = (pid: string): boolean => {
    const folder = posix.join("/proc", pid);
    if (!PROGRAMS.has(files.read(posix.join(folder, "comm"))?.toString().trim() ?? "")) return false;
    // Its helpers have a `--type`, and would name another process each time.
    if (/(?:^|[\0 ])--type=/.test(files.read(posix.join(folder, "cmdline"))?.toString() ?? "--type="))
      return false;
    const environment = files.read(posix.join(folder, "environ"))?.toString() ?? "";
    const home = /(?:^|\0)HOME=([^\0]*)/.exec(environment)?.[1];
    return home === homedir || home?.startsWith(posix.join(homedir, "snap/")) === true;
  };
  const pid = files.list("/proc").find((name) => /^[0-9]+$/.test(name) && isBrowser(name));
  return pid === undefined ? undefined : Number(pid);
}
