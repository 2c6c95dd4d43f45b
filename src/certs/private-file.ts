import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ChanctlError, errorCodeOf } from "../shared/errors.ts";

/**
 * The text of a file, or `undefined` where there is none.
 *
 * @throws {ChanctlError} `certificate_invalid` where it cannot be read.
 */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw unusableFile("read", path, error);
  }
}

/**
 * Writes a file that only the user can read, whole or not at all, over what is there.
 *
 * @throws {ChanctlError} `certificate_invalid` where it cannot be written.
 */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  await writePrivately(path, text, (temporary) => rename(temporary, path));
}

/**
 * The same, but the first to write wins: of two processes that publish at once, both go on with the one
 * text that is returned.
 *
 * @throws {ChanctlError} `certificate_invalid` where it cannot be written.
 */
export async function publishPrivateFile(path: string, text: string): Promise<string> {
  let published = text;
  await writePrivately(path, text, async (temporary) => {
    try {
      // link(2) fails where rename(2) would replace, and the name never shows half a file. A lock file would
      // need a rule for when its owner has died.
      await link(temporary, path);
    } catch (error) {
      if (errorCodeOf(error) !== "EEXIST") throw error;
      published = await readFile(path, "utf8");
    }
  });
  return published;
}

async function writePrivately(
  path: string,
  text: string,
  putInPlace: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      // The mode is given at creation: a chmod afterwards would leave a moment to open the key (CWE-377).
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(text);
        await file.sync(); // before it gets its name: a power cut must not leave an empty CA
      } finally {
        await file.close();
      }
      await putInPlace(temporary);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (error) {
    throw unusableFile("write", path, error);
  }
}

function unusableFile(verb: "read" | "write", path: string, cause: unknown): ChanctlError {
  return new ChanctlError(
    "certificate_invalid",
    `cannot ${verb} ${path} (${errorCodeOf(cause) ?? String(cause)})`,
    {
      cause,
      hint: [
        `ls -ld "${dirname(path)}"    the folder and its files must be yours`,
        "export CHANCTL_HOME=<folder>    keeps them in another folder",
      ].join("\n"),
    },
  );
}
