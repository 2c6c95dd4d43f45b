import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { ChanctlError } from "../shared/errors.ts";
import { describeProblem } from "./key-pair-problem.ts";
import { type KeyPair, parseKeyPair } from "./key-pair.ts";
import { publishPrivateFile, readIfPresent } from "./private-file.ts";

/** The user's own certificate authority. */
export interface Authority {
  readonly pair: KeyPair;
  /** The file that clients are given to trust. */
  readonly certPath: string;
  /** Made by this call; nobody trusts it yet. */
  readonly isNew: boolean;
}

interface AuthorityOptions {
  /** The user's config folder, absolute. */
  readonly home: string;
  /** ms since the epoch. */
  readonly now: number;
}

interface AuthorityPaths {
  readonly certPath: string;
  readonly keyPath: string;
}

/**
 * Loads the user's authority, or makes it where there is none.
 *
 * `ca-key.pem` holds the key and the certificate, so that one step puts both there or neither; `ca.pem` is a
 * copy of the certificate for others to read. An authority that cannot be used is never replaced: it may be
 * trusted in many places.
 *
 * @throws {ChanctlError} `certificate_invalid` naming the file and what to do.
 */
export async function loadAuthority({ home, now }: AuthorityOptions): Promise<Authority> {
  const paths = { certPath: join(home, "ca.pem"), keyPath: join(home, "ca-key.pem") };
  const { certPath, keyPath } = paths;
  // In this order: another process writes the key first, so a certificate without one is no race.
  const copy = await readIfPresent(certPath);
  const kept = await readIfPresent(keyPath);
  if (kept === undefined && copy !== undefined) throw unusable(`${keyPath} is missing`, startOver(paths));

  const { text, isNew } = kept === undefined ? await publishNew(keyPath, now) : { text: kept, isNew: false };
  const pair = parseAuthority(text, { paths, now });
  if (copy === undefined) {
    await publishPrivateFile(certPath, pair.chainPem);
  } else if (!isSameCertificate(copy, pair)) {
    const problem = `${certPath} is not the certificate that is in ${keyPath}`;
    throw unusable(problem, `rm "${certPath}"    the next start writes it anew from ${keyPath}`);
  }
  return { pair, certPath, isNew };
}

async function publishNew(keyPath: string, now: number): Promise<{ text: string; isNew: boolean }> {
  const { makeAuthority } = await import("./make-authority.ts"); // node-forge takes 25 ms to load
  const { certPem, keyPem } = await makeAuthority(now);
  const made = certPem + keyPem;
  const text = await publishPrivateFile(keyPath, made);
  return { text, isNew: text === made };
}

function parseAuthority(text: string, where: { paths: AuthorityPaths; now: number }): KeyPair {
  const { paths, now } = where;
  const reading = parseKeyPair({ certText: text, keyText: text, now });
  if (reading.kind !== "usable") {
    const isClockBehind = reading.kind === "not-yet-valid";
    const fix = isClockBehind ? "date    this machine's clock must be set" : startOver(paths);
    throw unusable(`${paths.keyPath} ${describeProblem(reading)}`, fix);
  }
  const { certificate, key } = reading.pair;
  if (!certificate.ca) throw unusable(`${paths.keyPath} holds a certificate that is no CA`, startOver(paths));
  if (key.asymmetricKeyType !== "rsa") {
    throw unusable(`${paths.keyPath} holds a key that is not RSA`, startOver(paths));
  }
  return reading.pair;
}

function isSameCertificate(copy: string, { certificate }: KeyPair): boolean {
  try {
    return new X509Certificate(copy).fingerprint256 === certificate.fingerprint256;
  } catch {
    return false;
  }
}

function unusable(problem: string, hint: string): ChanctlError {
  return new ChanctlError("certificate_invalid", `the local CA cannot be used: ${problem}`, { hint });
}

function startOver({ certPath, keyPath }: AuthorityPaths): string {
  return [
    "put both files back from a copy, or",
    "chanctl trust --uninstall    takes it out of the trust stores, then",
    `rm -f "${certPath}" "${keyPath}"    the next start makes a new CA, to be trusted anew`,
  ].join("\n");
}
