import { X509Certificate } from "node:crypto";
import { join } from "node:path";

import { ChanctlError } from "../../shared/errors.ts";
import { readIfPresent } from "../private-file.ts";
import type { StoredAuthority } from "./trust-store.ts";

/** The CA as trust stores know it: no key is needed to add it or to take it out. */
export interface AuthorityCertificate {
  /** The file in PEM, absolute. */
  readonly path: string;
  /** Its common name, which is unique: "chanctl local CA 1a2b3c4d". */
  readonly name: string;
  readonly der: Buffer;
  readonly pem: string;
  /** Hexadecimal, capitals, without colons. */
  readonly sha1: string;
  /** Hexadecimal, capitals, without colons. */
  readonly sha256: string;
  /** The end of its validity, ms since the epoch. */
  readonly validTo: number;
}

/** What the names of chanctl's authorities begin with: what the tools of other platforms search by. */
export const AUTHORITY_PREFIX = "chanctl local CA ";

/** A CA of chanctl as a store holds it: the user's own, or one whose folder is elsewhere or gone. */
export interface HeldAuthority {
  readonly name: string;
  readonly der: Buffer;
  /** Hexadecimal, capitals, without colons. */
  readonly sha1: string;
}

/**
 * A certificate as one of chanctl's authorities, or `undefined`: it takes the whole name that chanctl gives,
 * by which it vouches for itself. What only resembles one is somebody else's and stays where it is.
 */
export function toHeldAuthority(certificate: X509Certificate | undefined): HeldAuthority | undefined {
  if (certificate === undefined || !certificate.ca || certificate.subject !== certificate.issuer)
    return undefined;
  const isNamed = /^CN=chanctl local CA [0-9a-f]{8}\nO=chanctl$/.test(certificate.subject);
  if (!isNamed) return undefined;
  return {
    name: commonNameOf(certificate),
    der: certificate.raw,
    sha1: certificate.fingerprint.replaceAll(":", ""),
  };
}

/** The authorities of chanctl among the certificates of a text in PEM. */
export function authoritiesIn(text: string): readonly HeldAuthority[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks
    .map((pem) => toHeldAuthority(parseCertificate(pem)))
    .filter((authority) => authority !== undefined);
}

/**
 * Reads the CA's certificate, whether it has ended or not.
 *
 * @returns `undefined` where none has been made.
 * @throws {ChanctlError} `certificate_invalid` where the file is no certificate.
 */
export async function readAuthorityCertificate(path: string): Promise<AuthorityCertificate | undefined> {
  const pem = await readIfPresent(path);
  if (pem === undefined) return undefined;
  const authority = toAuthority(pem, path);
  if (authority === undefined) {
    throw new ChanctlError("certificate_invalid", `${path} holds no certificate`, {
      hint: `rm "${path}"    the next start writes it anew from ca-key.pem beside it`,
    });
  }
  return authority;
}

/**
 * Reads the certificate of the CA in a user's config folder: `ca.pem`, or, where that is gone, what `ca-key.pem` holds
 * beside the key.
 *
 * @returns `undefined` where none has been made.
 * @throws {ChanctlError} `certificate_invalid` where `ca.pem` is no certificate, or either cannot be read.
 */
export async function readOwnAuthority(home: string): Promise<AuthorityCertificate | undefined> {
  const path = join(home, "ca.pem");
  const copy = await readAuthorityCertificate(path);
  return copy ?? toAuthority((await readIfPresent(join(home, "ca-key.pem"))) ?? "", path);
}

function toAuthority(pem: string, path: string): AuthorityCertificate | undefined {
  const certificate = parseCertificate(pem);
  if (certificate === undefined) return undefined;
  return {
    path,
    name: commonNameOf(certificate),
    der: certificate.raw,
    pem: certificate.toString(),
    sha1: certificate.fingerprint.replaceAll(":", ""),
    sha256: certificate.fingerprint256.replaceAll(":", ""),
    validTo: Date.parse(certificate.validTo),
  };
}

/** What a store tells of the CAs that it holds, each once. */
export function toStored(
  held: readonly Omit<HeldAuthority, "der">[],
  own: AuthorityCertificate | undefined,
): readonly StoredAuthority[] {
  const unique = new Map(held.map(({ name, sha1 }) => [sha1, { name, sha1, isOwn: sha1 === own?.sha1 }]));
  return [...unique.values()];
}

/** Those of the CAs in a store that are to be taken out. */
export function among<Held extends Pick<HeldAuthority, "sha1">>(
  held: readonly Held[],
  taken: readonly StoredAuthority[],
): readonly Held[] {
  return held.filter(({ sha1 }) => taken.some((authority) => authority.sha1 === sha1));
}

/** A certificate in PEM or DER, or `undefined` if it is none. */
export function parseCertificate(text: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

/** The common name of a certificate's subject; empty without one. */
function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
}
