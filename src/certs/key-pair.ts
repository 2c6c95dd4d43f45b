import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** A certificate with the key that belongs to it, valid now. */
export interface KeyPair {
  readonly certificate: X509Certificate;
  /** The certificate and what follows it in its file, in PEM. */
  readonly chainPem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  /** The end of its validity, ms since the epoch. */
  readonly validTo: number;
}

/** A pair, or why there is none. */
export type KeyPairReading =
  | { readonly kind: "usable"; readonly pair: KeyPair }
  | {
      readonly kind:
        | "no-certificate"
        | "bad-certificate"
        | "no-key"
        | "encrypted-key"
        | "bad-key"
        | "key-of-another";
    }
  | { readonly kind: "not-yet-valid" | "expired"; readonly at: number };

interface KeyPairTexts {
  /** PEM text with the certificate first; other blocks in it are skipped. */
  readonly certText: string;
  /** PEM text with the private key; may be the same text. */
  readonly keyText: string;
  /** ms since the epoch. */
  readonly now: number;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/;

/** Reads a certificate and its key from PEM and checks that they can serve together now. */
export function parseKeyPair({ certText, keyText, now }: KeyPairTexts): KeyPairReading {
  const chain = certText.match(CERTIFICATE);
  if (chain === null) return { kind: "no-certificate" };
  const certificates = chain.map(parseCertificate);
  const certificate = certificates[0];
  if (certificate === undefined || certificates.includes(undefined)) return { kind: "bad-certificate" };
  const keyPem = PRIVATE_KEY.exec(keyText)?.[0];
  if (keyPem === undefined) return { kind: "no-key" };
  const key = parseKey(keyPem);
  if (typeof key === "string") return { kind: key };
  if (!certificate.checkPrivateKey(key)) return { kind: "key-of-another" };
  const validFrom = Date.parse(certificate.validFrom);
  if (now < validFrom) return { kind: "not-yet-valid", at: validFrom };
  const validTo = Date.parse(certificate.validTo);
  if (now >= validTo) return { kind: "expired", at: validTo };
  const chainPem = chain.map((pem) => `${pem}\n`).join("");
  return { kind: "usable", pair: { certificate, chainPem, key, keyPem: `${keyPem}\n`, validTo } };
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function parseKey(pem: string): KeyObject | "encrypted-key" | "bad-key" {
  try {
    return createPrivateKey(pem);
  } catch {
    // The code of the error depends on the OpenSSL in Node; the header does not (RFC 7468, section 11; RFC 1421).
    return pem.includes("ENCRYPTED") ? "encrypted-key" : "bad-key";
  }
}
