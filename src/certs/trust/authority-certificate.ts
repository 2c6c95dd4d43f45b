import { X509Certificate } from "node:crypto";

import { ChanctlError } from "../../shared/errors.ts";
import { readIfPresent } from "../private-file.ts";

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
}

/** What the names of chanctl's authorities begin with. */
export const AUTHORITY_PREFIX = "chanctl local CA ";

/**
 * Reads the CA's certificate, whether it has ended or not.
 *
 * @returns `undefined` where none has been made.
 * @throws {ChanctlError} `certificate_invalid` where the file is no certificate.
 */
export async function readAuthorityCertificate(path: string): Promise<AuthorityCertificate | undefined> {
  const pem = await readIfPresent(path);
  if (pem === undefined) return undefined;
  const certificate = parseCertificate(pem);
  if (certificate === undefined) {
    throw new ChanctlError("certificate_invalid", `${path} holds no certificate`, {
      hint: `rm "${path}"    the next start writes it anew from ca-key.pem beside it`,
    });
  }
  return {
    path,
    name: commonNameOf(certificate),
    der: certificate.raw,
    pem: certificate.toString(),
    sha1: certificate.fingerprint.replaceAll(":", ""),
    sha256: certificate.fingerprint256.replaceAll(":", ""),
  };
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
export function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
}
