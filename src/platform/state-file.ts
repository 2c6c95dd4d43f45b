import { dirname } from "node:path";

import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

/**
 * Runs what reads or writes a file of `.chanctl`, so that a failure of the file system is one for a person.
 *
 * @throws {ChanctlError} `store_invalid` with the path and what to do about it.
 */
export async function usingStateFile<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (errorCodeOf(cause) === undefined) throw cause; // not of the file system: a bug
    throw new ChanctlError("store_invalid", `${path} cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: hintOf(errorCodeOf(cause), path),
    });
  }
}

function hintOf(code: string | undefined, path: string): string {
  const folder = dirname(path);
  if (code === "EEXIST" || code === "ENOTDIR") return `move ${folder} away: it must be a folder`;
  if (code === "EISDIR") return `rm -r ${path}     it must be a file`;
  if (code === "ENOENT") return `start chanctl again     it makes ${folder}`;
  if (code === "EROFS") return `mount the file system of ${folder} writable`;
  if (code === "ENOSPC" || code === "EDQUOT") return `make room on the disk of ${folder}`;
  return `chmod -R u+rwX ${folder}     as its owner: chanctl must be able to write there`;
}
