import { readFile } from "node:fs/promises";
import { ChanctlError, errorCodeOf } from "../shared/errors.ts";
import { describeProblem, type KeyPairProblem } from "./key-pair-problem.ts";
import { parseKeyPair } from "./key-pair.ts";

/** The user's own certificate and key, checked. */
export interface CertificatePair {
  /** The certificate, then its chain, in PEM. */
  readonly certPem: string;
  readonly keyPem: string;
  /** The names, wildcards and addresses that it is for. */
  readonly hosts: readonly string[];
  /** The end of its validity, ms since the epoch. */
  readonly validTo: number;
}

interface CertificatePairOptions {
  readonly certPath: string;
  readonly keyPath: string;
  /** The clock, ms since the epoch. @default Date.now */
  readonly now?: () => number;
}

/**
 * Reads the files of `--cert` and `--key`.
 *
 * @throws {ChanctlError} `certificate_invalid` naming the file, what is wrong with it and what to do.
 */
export async function readCertificatePair(options: CertificatePairOptions): Promise<CertificatePair> {
  const { certPath, keyPath, now = Date.now } = options;
  const certText = await readGiven("--cert", certPath);
  const keyText = await readGiven("--key", keyPath);
  const reading = parseKeyPair({ certText, keyText, now: now() });
  if (reading.kind !== "usable") throw unusablePair(reading, { certPath, keyPath });
  const { certificate, chainPem, keyPem, validTo } = reading.pair;
  return { certPem: chainPem, keyPem, validTo, hosts: parseAltNames(certificate.subjectAltName ?? "") };
}

async function readGiven(flag: "--cert" | "--key", path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = errorCodeOf(cause) ?? String(cause);
    const wanted = flag === "--cert" ? "certificate" : "private key";
    if (code === "ENOENT") {
      const hint = `${flag} <file>    name the PEM file of the ${wanted}`;
      throw new ChanctlError("certificate_invalid", `\`${flag}\`: there is no file ${path}`, { cause, hint });
    }
    throw new ChanctlError("certificate_invalid", `\`${flag}\`: ${path} cannot be read (${code})`, {
      cause,
      hint: `ls -l "${path}"    it must be a file that this user may read`,
    });
  }
}

function unusablePair(problem: KeyPairProblem, { certPath, keyPath }: CertificatePairOptions): ChanctlError {
  const isAboutKey = ["no-key", "encrypted-key", "bad-key", "key-of-another"].includes(problem.kind);
  const [flag, path] = isAboutKey ? ["--key", keyPath] : ["--cert", certPath];
  return new ChanctlError("certificate_invalid", `\`${flag}\`: ${path} ${describeProblem(problem)}`, {
    hint: fixFor(problem, { certPath, keyPath }),
  });
}

function fixFor({ kind }: KeyPairProblem, { certPath, keyPath }: CertificatePairOptions): string {
  const copyAgain = "copy the file again from where it was issued";
  const fixes: Readonly<Record<KeyPairProblem["kind"], string>> = {
    "no-certificate": `openssl x509 -inform der -in "${certPath}" -out cert.pem    makes PEM of it, if it is DER`,
    "no-key": `openssl pkey -inform der -in "${keyPath}" -out key.pem    makes PEM of it, if it is DER`,
    "bad-certificate": copyAgain,
    "bad-key": copyAgain,
    "encrypted-key": `openssl pkey -in "${keyPath}" -out key.pem    unlocks it; keep key.pem private`,
    "key-of-another": `name the key that ${certPath} was issued for`,
    expired: "renew it with whoever issued it, then start again",
    "not-yet-valid": "date    check this machine's clock, or wait until then",
  };
  return fixes[kind];
}

/** Reads Node's `DNS:localhost, IP Address:127.0.0.1`. */
function parseAltNames(text: string): readonly string[] {
  return Array.from(text.matchAll(/(?:DNS|IP Address):([^,]+)/g), (match) => match[1] ?? "");
}
