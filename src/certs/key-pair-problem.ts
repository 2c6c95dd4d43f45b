import type { KeyPairReading } from "./key-pair.ts";

/** Any reading but a usable one. */
export type KeyPairProblem = Exclude<KeyPairReading, { readonly kind: "usable" }>;

const PHRASES: Readonly<Record<KeyPairProblem["kind"], string>> = {
  "no-certificate": "holds no `-----BEGIN CERTIFICATE-----` block",
  "bad-certificate": "holds a certificate that cannot be decoded",
  "no-key": "holds no `-----BEGIN PRIVATE KEY-----` block",
  "encrypted-key": "holds a private key that is locked with a passphrase",
  "bad-key": "holds a private key that cannot be decoded",
  "key-of-another": "holds the private key of another certificate",
  expired: "expired on",
  "not-yet-valid": "is not valid before",
};

/** What is wrong with a pair, as the end of a sentence about its file. */
export function describeProblem(problem: KeyPairProblem): string {
  const phrase = PHRASES[problem.kind];
  return "at" in problem ? `${phrase} ${new Date(problem.at).toUTCString()}` : phrase;
}
