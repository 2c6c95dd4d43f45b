import { execFileSync } from "node:child_process";
import { onTestFinished } from "vitest";
import type { TestContext } from "vitest";
import { findProgram, skipOrFail } from "./requires.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A folder that is a disk of its own with `megabytes` of room; needs Linux and root, else the test is skipped. */
export function mountSmallDisk(context: TestContext, { megabytes }: { megabytes: number }): string {
  const folder = temporaryFolder();
  const [mount, umount] = [findProgram("mount"), findProgram("umount")];
  if (mount === undefined || umount === undefined) return skipOrFail(context, "needs `mount` and `umount`");
  try {
    execFileSync(mount, ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "pipe" });
  } catch (error) {
    return skipOrFail(context, `needs root on Linux to mount a small disk: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync(umount, ["-l", folder]));
  return folder;
}
