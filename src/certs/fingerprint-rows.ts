import type { X509Certificate } from "node:crypto";

/** The SHA-256 fingerprint of a certificate in rows of 8 bytes, for people to compare: `3F:2A:1B:…`. */
export function fingerprintRows({ fingerprint256 }: X509Certificate): readonly string[] {
  const bytes = fingerprint256.split(":");
  return Array.from({ length: bytes.length / 8 }, (_, row) => bytes.slice(row * 8, row * 8 + 8).join(":"));
}
