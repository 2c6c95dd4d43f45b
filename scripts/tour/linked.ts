import { chmod, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Stage } from "./tour.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = join(REPOSITORY, "dist/cli.js");

/** What `npm install` would leave in the empty folder, linked from this checkout: it takes no time. */
export async function linkPackages({ folder }: Stage): Promise<void> {
  const links = [
    ["chanctl", REPOSITORY],
    [".bin/chanctl", PROGRAM],
    ["tsx", join(REPOSITORY, "node_modules/tsx")],
  ] as const;
  for (const [name, target] of links) {
    const path = join(folder, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
  }
  await chmod(PROGRAM, 0o755); // npm does it to what it installs, the compiler does not
}
