import { existsSync } from "node:fs";
import { join } from "node:path";

import Sqlite from "better-sqlite3";

import { errorCodeOf } from "../../shared/errors.ts";
import { type HeldAuthority, parseCertificate, toHeldAuthority } from "./authority-certificate.ts";

/** A certificate in an NSS database. */
export interface NssEntry {
  /** The name by which `certutil` knows it. */
  readonly nickname: string;
  /** Whether it is trusted to vouch for web servers. */
  readonly isTrusted: boolean;
}

/** CKA_CLASS, CKA_LABEL, CKA_VALUE, CKA_ISSUER, CKA_SERIAL_NUMBER and CKA_TRUST_SERVER_AUTH, as NSS names columns. */
const FIND_ENTRY = `
  SELECT entry.a3 AS label, trust.ace536358 AS trust
  FROM nssPublic entry LEFT JOIN nssPublic trust
    ON trust.a81 = entry.a81 AND trust.a82 = entry.a82 AND trust.a0 = x'ce534353'
  WHERE entry.a11 = ?`;

const LIST_CERTIFICATES = "SELECT a11 AS der FROM nssPublic WHERE a0 = x'00000001' AND a11 IS NOT NULL";

/** CKT_NSS_TRUSTED_DELEGATOR: may sign for web servers. */
const TRUSTED_DELEGATOR = "ce534352";

/**
 * The entry of a certificate in the NSS database of a folder.
 *
 * Read as SQLite: `certutil` takes 20 ms and more for each of many profiles, need not be installed, and names
 * its entries but not their fingerprints.
 *
 * @returns `undefined` where it is not there, or there is no database.
 */
export function findNssEntry(folder: string, der: Buffer): NssEntry | undefined {
  return reading(join(folder, "cert9.db"), (database) => {
    const row: unknown = database.prepare(FIND_ENTRY).get(der);
    if (typeof row !== "object" || row === null || !("label" in row) || !("trust" in row)) return undefined;
    const trust = Buffer.isBuffer(row.trust) ? row.trust.toString("hex") : undefined;
    return { nickname: String(row.label), isTrusted: trust === TRUSTED_DELEGATOR };
  });
}

/** The CAs of chanctl in the NSS database of a folder. */
export function listNssAuthorities(folder: string): readonly HeldAuthority[] {
  const authorities = reading(join(folder, "cert9.db"), (database) =>
    database
      .prepare(LIST_CERTIFICATES)
      .pluck()
      .all()
      .filter((value): value is Buffer => Buffer.isBuffer(value))
      .map((value) => toHeldAuthority(parseCertificate(value)))
      .filter((authority) => authority !== undefined),
  );
  return authorities ?? [];
}

/** Whether the database of a folder holds nothing: no certificate, no trust, no key. */
export function isNssEmpty(folder: string): boolean {
  const isEmpty = (file: string, table: string): boolean =>
    reading(join(folder, file), (database) =>
      database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
    ) === 0;
  return isEmpty("cert9.db", "nssPublic") && isEmpty("key4.db", "nssPrivate");
}

/** Whether what is said of a database can be believed. */
export type NssReading =
  /** It can be read, or there is none. */
  | { readonly kind: "whole" }
  /** `code` is SQLite's: of a file that is no database, or of one that is locked or somebody else's. */
  | { readonly kind: "damaged" | "unreadable"; readonly code: string };

/** Whether the database of a folder can be read. */
export function nssReading(folder: string): NssReading {
  const path = join(folder, "cert9.db");
  if (!existsSync(path)) return { kind: "whole" };
  try {
    readDatabase(path, (database) => database.prepare("SELECT count(*) FROM sqlite_master").get());
    return { kind: "whole" };
  } catch (error) {
    if (!existsSync(path)) return { kind: "whole" }; // another run has just removed it
    const code = errorCodeOf(error) ?? String(error);
    return { kind: /^SQLITE_(NOTADB|CORRUPT)/.test(code) ? "damaged" : "unreadable", code };
  }
}

function reading<T>(path: string, read: (database: Sqlite.Database) => T): T | undefined {
  try {
    return readDatabase(path, read);
  } catch {
    return undefined; // none, damaged, or of another layout: `certutil` then says what is wrong
  }
}

function readDatabase<T>(path: string, read: (database: Sqlite.Database) => T): T {
  const database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 500 });
  try {
    return read(database);
  } finally {
    database.close();
  }
}
