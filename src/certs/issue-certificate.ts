import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { encodeDer, TAG } from "./der.ts";

const { asn1, pki } = forge;

const DAY_MS = 86_400_000;

/** A certificate begins a day ago: clocks of containers, virtual machines and phones run behind. */
const BACKDATED_DAYS = 1;

/** The parts of a certificate that are replaced in node-forge's (RFC 5280, section 4.1). */
const BODY = 0;
const SIGNATURE = 2;
const PUBLIC_KEY = 6;

/** What a certificate says, and who says it. */
export interface CertificateContent {
  readonly subject: readonly forge.pki.CertificateField[];
  readonly issuer: readonly forge.pki.CertificateField[];
  /** The key that it is for. */
  readonly publicKey: KeyObject;
  /** RSA. */
  readonly issuerKey: KeyObject;
  /** From its first day, which is yesterday, to its last. */
  readonly validityDays: number;
  /** It ends with its issuer if that is sooner, ms since the epoch. */
  readonly issuerValidTo?: number;
  /** In node-forge's form; the key identifiers are added to them. */
  readonly extensions: readonly object[];
  /** ms since the epoch. */
  readonly now: number;
}

/**
 * Issues a certificate, in PEM.
 *
 * node-forge encodes it; the key and the signature are Node's, because node-forge knows no elliptic curves,
 * and its RSA signature in JavaScript takes 18 ms, not 0.3.
 */
export function issueCertificate(content: CertificateContent): string {
  const certificate = pki.certificateToAsn1(draftCertificate(content));
  const parts = childrenOf(certificate);
  const body = parts[BODY];
  if (body === undefined) throw new Error("node-forge gave a certificate without a body");
  childrenOf(body)[PUBLIC_KEY] = asn1.fromDer(toBinaryString(encodePublicKey(content.publicKey)));
  const signature = sign("sha256", toDer(body), content.issuerKey);
  const noUnusedBits = Buffer.of(0);
  parts[SIGNATURE] = asn1.create(
    asn1.Class.UNIVERSAL,
    asn1.Type.BITSTRING,
    false,
    toBinaryString(Buffer.concat([noUnusedBits, signature])),
  );
  return new X509Certificate(toDer(certificate)).toString();
}

function draftCertificate(content: CertificateContent): forge.pki.Certificate {
  const { subject, issuer, publicKey, issuerKey, validityDays, issuerValidTo, extensions, now } = content;
  const draft = pki.createCertificate();
  const one = new forge.jsbn.BigInteger("1");
  draft.publicKey = pki.setRsaPublicKey(one, one); // node-forge wants one; it is replaced
  draft.signatureOid = draft.siginfo.algorithmOid = pki.oids["sha256WithRSAEncryption"] ?? "";
  draft.serialNumber = randomSerialNumber();
  draft.setSubject([...subject]);
  draft.setIssuer([...issuer]);
  const validFrom = now - BACKDATED_DAYS * DAY_MS;
  const validTo = validFrom + validityDays * DAY_MS;
  draft.validity.notBefore = new Date(validFrom);
  draft.validity.notAfter = new Date(Math.min(validTo, issuerValidTo ?? validTo));
  draft.setExtensions([
    ...extensions,
    {
      name: "authorityKeyIdentifier",
      keyIdentifier: toBinaryString(keyIdentifier(createPublicKey(issuerKey))),
    },
    subjectKeyIdentifier(publicKey),
  ]);
  return draft;
}

/** In hexadecimal. Clients refuse two certificates of one issuer with the same one (RFC 5280, section 4.1.2.2). */
function randomSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40; // DER: positive, and no zero byte in front
  return bytes.toString("hex");
}

/** node-forge by itself would identify the draft's placeholder of a key. */
function subjectKeyIdentifier(publicKey: KeyObject): object {
  return { id: "2.5.29.14", value: toBinaryString(encodeDer(TAG.octetString, keyIdentifier(publicKey))) };
}

/** 160 bits of the key's hash. @see https://www.rfc-editor.org/rfc/rfc7093#section-2 */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash("sha256").update(encodePublicKey(publicKey)).digest().subarray(0, 20);
}

function encodePublicKey(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

function childrenOf(node: forge.asn1.Asn1): forge.asn1.Asn1[] {
  if (typeof node.value === "string") throw new Error("node-forge gave a value where a sequence belongs");
  return node.value;
}

function toDer(node: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}

/** node-forge's form of bytes: a character each. */
function toBinaryString(bytes: Buffer): string {
  return bytes.toString("latin1");
}
