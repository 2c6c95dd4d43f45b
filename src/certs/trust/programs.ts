import { posix, win32 } from "node:path";

import type { Machine } from "./machine.ts";

/** Where Homebrew keeps what it does not link, and where a user's PATH may lack what root's has. */
const FURTHER_FOLDERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["/opt/homebrew/opt/nss/bin", "/usr/local/opt/nss/bin"],
  linux: ["/usr/sbin", "/sbin", "/usr/local/sbin"],
};

/** The path of a program, if the machine has it. */
export function findProgram(name: string, { platform, env, files }: Machine): string | undefined {
  const path = platform === "win32" ? win32 : posix;
  const folders = [...(env["PATH"] ?? "").split(path.delimiter), ...(FURTHER_FOLDERS[platform] ?? [])];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find((file) => files.exists(file));
}
