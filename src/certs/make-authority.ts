import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { createCA } from "mkcert";
import { issueCertificate } from "./issue-certificate.ts";
import { encodeNameConstraints } from "./name-constraints.ts";

const VALIDITY_DAYS = 3_650;

/** Its object identifier: node-forge does not know it by name. */
const NAME_CONSTRAINTS = "2.5.29.30";

interface AuthorityPems {
  readonly certPem: string;
  readonly keyPem: string;
}

/**
 * Makes a certificate authority.
 *
 * The key is mkcert's. The certificate is issued anew for it, because mkcert's own has a guessable serial
 * number and no key identifiers, begins this very second and may sign for the whole internet.
 */
export async function makeAuthority(now: number): Promise<AuthorityPems> {
  // Trust stores and browsers tell authorities apart by their names.
  const commonName = `chanctl local CA ${randomBytes(4).toString("hex")}`;
  const made = await createCA({
    organization: commonName,
    countryCode: "",
    state: "",
    locality: "",
    validity: VALIDITY_DAYS,
  });
  const key = createPrivateKey(made.key);
  const name = [
    { name: "commonName", value: commonName },
    { name: "organizationName", value: "chanctl" },
  ];
  const certPem = issueCertificate({
    subject: name,
    issuer: name,
    publicKey: createPublicKey(key),
    issuerKey: key,
    validityDays: VALIDITY_DAYS,
    extensions: [
      { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
      { id: NAME_CONSTRAINTS, critical: true, value: encodeNameConstraints().toString("latin1") },
    ],
    now,
  });
  return { certPem, keyPem: key.export({ type: "pkcs8", format: "pem" }).toString() };
}
