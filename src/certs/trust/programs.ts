import { posix, win32 } from "node:path";

import type { Machine } from "./machine.ts";

/** Where Homebrew keeps what it does not link, and where a user's PATH may lack what root's has. */
const FURTHER_FOLDERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["/opt/homebrew/opt/nss/bin", "/usr/local/opt/nss/bin"],
  linux: ["/usr/sbin", "/sbin", "/usr/local/sbin"],
};

/** The path of a program, if the machine has it; a name that is a path already stands for itself. */
export function findProgram(name: string, machine: Machine): string | undefined {
  const path = machine.platform === "win32" ? win32 : posix;
  const candidates = path.isAbsolute(name)
    ? [name]
    : searchFolders(machine).map((folder) => path.join(folder, name));
  return candidates.find((file) => machine.files.exists(file));
}

/** Where programs are looked for: a tool that starts others has to find them there too. */
export function searchFolders({ platform, env }: Pick<Machine, "platform" | "env">): readonly string[] {
  const { delimiter } = platform === "win32" ? win32 : posix;
  const folders = [...(env["PATH"] ?? "").split(delimiter), ...(FURTHER_FOLDERS[platform] ?? [])];
  return folders.filter((folder) => folder !== "");
}
