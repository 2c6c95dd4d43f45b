import { posix } from "node:path";

import { isAlive } from "../../platform/is-alive.ts";
import type { Machine } from "./machine.ts";

/**
 * The process id of the Firefox that runs with a profile, by the lock that it keeps there on Linux and macOS:
 * a link to `127.0.1.1:+4711`.
 *
 * One that was killed leaves its lock. A Firefox goes on with the certificates that it has read at its start.
 */
export function runningFirefox(profile: string, { files }: Pick<Machine, "files">): number | undefined {
  const pid = Number(/\+(\d+)$/.exec(files.readLink(posix.join(profile, "lock")) ?? "")?.[1]);
  return pid > 0 && isAlive(pid) ? pid : undefined;
}
