import { readlinkSync, realpathSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { dirname, resolve } from "node:path";

/** Says whether a file is still the one that was read: equal as long as nobody wrote, replaced or removed it. */
export type FileStamp = string;

/** The stamps of the files that a definition was made from, by absolute path. */
export type FileStamps = Readonly<Record<string, FileStamp>>;

/** Takes the stamp of a file or folder. One that is not there has a stamp too. */
export function stampOf(path: string): FileStamp {
  const stats = statOf(path);
  return stats === undefined ? "absent" : `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** What the system knows of a path; `undefined` if it is not there or cannot be looked at. */
export function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What a link leads to, or would if it were there, absolute; `undefined` if the path is no link. */
export function linkTarget(path: string): string | undefined {
  try {
    const target = resolve(dirname(path), readlinkSync(path));
    return statOf(target) === undefined ? target : realpathSync(target);
  } catch {
    return undefined;
  }
}
