import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type KeyPair, parseKeyPair } from "./key-pair.ts";
import { readIfPresent, replacePrivateFile } from "./private-file.ts";

const RENEW_BEFORE_END_MS = 30 * 86_400_000;

interface LeafOptions {
  /** Where it is kept, absolute. */
  readonly path: string;
  /** What it must be for: names, wildcards and addresses. */
  readonly hosts: readonly string[];
  readonly commonName: string;
  readonly authority: KeyPair;
  /** ms since the epoch. */
  readonly now: number;
}

/**
 * Loads a leaf, or makes it where there is none that is good for all hosts, from this authority and for
 * some time yet. Nobody trusts a leaf by itself, so a damaged one is simply replaced.
 *
 * One file holds the chain and the key: one rename puts both there.
 *
 * @throws {ChanctlError} `certificate_invalid` where the file cannot be read or written.
 */
export async function loadLeaf({ path, hosts, commonName, authority, now }: LeafOptions): Promise<KeyPair> {
  const kept = parseLeaf((await readIfPresent(path)) ?? "", now);
  if (kept !== undefined && isIssuedBy(authority, kept.certificate) && isForAll(hosts, kept.certificate)) {
    const couldEndLater = kept.validTo < authority.validTo;
    if (!couldEndLater || !isDueForRenewal(kept.validTo, now)) return kept;
  }
  const { makeLeaf } = await import("./make-leaf.ts"); // node-forge takes 25 ms to load
  const { chainPem, keyPem } = await makeLeaf({ hosts, commonName, authority, now });
  await replacePrivateFile(path, chainPem + keyPem);
  const made = parseLeaf(chainPem + keyPem, now);
  if (made === undefined) throw new Error(`the leaf that was made for ${hosts.join(", ")} cannot be used`);
  return made;
}

/** Whether a leaf that ends at `validTo` should be made anew at `now`; both ms since the epoch. */
export function isDueForRenewal(validTo: number, now: number): boolean {
  return now >= validTo - RENEW_BEFORE_END_MS;
}

function parseLeaf(text: string, now: number): KeyPair | undefined {
  const reading = parseKeyPair({ certText: text, keyText: text, now });
  return reading.kind === "usable" ? reading.pair : undefined;
}

function isIssuedBy(authority: KeyPair, certificate: X509Certificate): boolean {
  return (
    certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey)
  );
}

function isForAll(hosts: readonly string[], certificate: X509Certificate): boolean {
  return hosts.every((host) => {
    if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
    return certificate.checkHost(host.replace("*", "any")) !== undefined;
  });
}
