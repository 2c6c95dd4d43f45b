import { existsSync } from "node:fs";
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { ChanctlError, errorCodeOf } from "../../shared/errors.ts";
import type { Machine } from "./machine.ts";
import { isNssEmpty } from "./nss-database.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";

/** The files of a database, the one by which all know it last: who finds it finds the others too. */
const DATABASE_FILES = ["pkcs11.txt", "key4.db", "cert9.db"];
/** What the name of a folder begins with in which one is made. */
const TEMPORARY = ".chanctl-new-nssdb-";
/** `certutil` is ended after a minute: nobody makes one for so long. */
const ABANDONED_MS = 600_000;
/** Lies beside them where chanctl has made the folder. */
const MARK = "made-by-chanctl.txt";
const MARK_TEXT =
  "`chanctl trust --uninstall` removes this folder, which it has made, where nothing else is in it.\n";

/**
 * Makes the NSS database of a folder, unless there is one.
 *
 * In a folder within one beside it, which is then moved to its place: of several who make it at once the first wins,
 * nobody sees half of one, and who looks for profiles of Firefox there finds none of this. `certutil -N` in the folder
 * itself would not do: where another one has been faster, it asks for a password without end.
 *
 * @throws {ChanctlError} `trust_failed` with what `certutil` or the system said.
 */
export async function makeNssDatabase(
  given: string,
  { certutil, machine }: { readonly certutil: string; readonly machine: Machine },
): Promise<void> {
  if (existsSync(join(given, "cert9.db"))) return;
  try {
    const folder = await realpath(given).catch(() => given); // a link cannot be replaced by a folder
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    const around = await mkdtemp(join(dirname(folder), TEMPORARY));
    try {
      const temporary = join(around, basename(folder));
      await mkdir(temporary, { mode: 0o700 });
      const toCommand = (at: string): string[] => [certutil, "-d", `sql:${at}`, "-N", "--empty-password"];
      const command = `${toCommandLine(["mkdir", "-p", folder])} && ${toCommandLine(toCommand(folder))}`;
      assertDone(await machine.run(toCommand(temporary)), { step: `make the database ${given}`, command });
      const modules = join(temporary, "pkcs11.txt"); // names the folder
      const further = `/${basename(around)}`; // not the whole path, in which NSS may have escaped something
      await writeFile(modules, (await readFile(modules, "utf8")).replaceAll(further, ""));
      await writeFile(join(temporary, MARK), MARK_TEXT);
      await putInPlace(temporary, folder);
    } finally {
      await rm(around, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof ChanctlError || errorCodeOf(error) === undefined) throw error;
    throw new ChanctlError("trust_failed", `could not make the database ${given}: ${errorCodeOf(error)}`, {
      cause: error,
      hint: `${toCommandLine(["ls", "-ld", dirname(given), given])}    they must be folders of yours`,
    });
  }
}

/**
 * Removes what runs that were ended have left of {@link makeNssDatabase}. By its name and its age: that its process is
 * gone cannot be told of a home folder that containers share.
 */
export async function clearAbandoned(given: string): Promise<void> {
  const folder = await realpath(given).catch(() => given);
  const parent = dirname(folder);
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(TEMPORARY))) {
    const path = join(parent, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() !== true || Date.now() - stats.mtimeMs < ABANDONED_MS) continue;
    await rm(path, { recursive: true, force: true }).catch(() => {}); // not ours, or gone: it does no harm
  }
}

/** rename(2) replaces an empty folder, and no other: where there is something in it, only what is missing is added. */
async function putInPlace(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(errorCodeOf(error) ?? "")) throw error;
    for (const name of DATABASE_FILES) await linkUnlessThere(join(temporary, name), join(folder, name));
  }
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to); // whole from the first moment, and fails where a rename would replace
  } catch (error) {
    if (errorCodeOf(error) !== "EEXIST") throw error;
  }
}

/**
 * Removes the folder of a database that chanctl has made and that nothing else is in: neither certificates and keys nor
 * files nor modules of others. A Chromium that reads two places goes by which of them is there.
 *
 * @returns whether it is gone
 */
export async function removeMadeDatabase(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, MARK))) return false;
  try {
    if (!(await isUnusedDatabase(folder))) return false;
    for (const name of [...DATABASE_FILES.toReversed(), MARK]) await rm(join(folder, name), { force: true });
    await rmdir(folder);
  } catch (error) {
    if (errorCodeOf(error) === undefined) throw error;
    return false; // it does no harm where it is
  }
  await rmdir(dirname(folder)).catch(() => {}); // unless others have something there
  return true;
}

async function isUnusedDatabase(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  const isOurs = names.every((name) => name === MARK || DATABASE_FILES.includes(name));
  const modules = await readFile(join(folder, "pkcs11.txt"), "utf8");
  const hasModules = /^library=./m.test(modules); // that of NSS itself has no library
  return isOurs && !hasModules && isNssEmpty(folder);
}
