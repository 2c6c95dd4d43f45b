import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Puts this checkout where a project has the installed package. */
export function linkPackage(root: string): void {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  symlinkSync(REPOSITORY, join(root, "node_modules", "chanctl"), "junction");
}
