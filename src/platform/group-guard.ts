import { spawn } from "node:child_process";

/**
 * Waits on a pipe that only we hold: its end means that we are gone, however that came about. Then the group
 * is given 5 s, as we would have. It looks each 0.1 s, where `sleep` takes fractions, so that it is gone with the group:
 * the group's number may be given to another.
 */
const SCRIPT = `read -r _
kill -s TERM -- "-$1" 2>/dev/null || exit 0
pause=0.1 looks=50
sleep "$pause" 2>/dev/null || pause=1 looks=5
while [ "$looks" -gt 0 ]; do
  kill -s 0 -- "-$1" 2>/dev/null || exit 0
  sleep "$pause"
  looks=$((looks - 1))
done
kill -s KILL -- "-$1" 2>/dev/null`;

/** Ends a process group when this process ends without having done so. */
export interface GroupGuard {
  /** Stands down: the group has ended, and its number may be given to another. */
  release(): void;
}

/**
 * Ends a process group even if we are killed with SIGKILL, which leaves nobody here to do it: a shell of a few
 * hundred kB outlives us by as long as that takes. It is in a session of its own, so that Ctrl-C and a closed
 * terminal do not reach it.
 *
 * The next start ends what a guard could not (a machine without `sh`, Windows).
 */
export function guardGroup(group: number): GroupGuard {
  if (process.platform === "win32") return { release: () => {} };
  const guard = spawn("/bin/sh", ["-c", SCRIPT, "chanctl-guard", String(group)], {
    cwd: "/",
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" }, // `sleep` of the system, whatever the app's folder holds
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.on("error", () => {}); // no /bin/sh: the app's own start says so
  guard.stdin.on("error", () => {}); // nothing is ever written
  guard.unref();
  return { release: () => void guard.kill("SIGKILL") };
}
