import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { encodeNameConstraints } from "../../../certs/name-constraints.ts";
import { formatDuration } from "../../../shared/duration.ts";
import { errorCodeOf } from "../../../shared/errors.ts";
import type { Check, Verdict } from "../check.ts";

const SOON_MS = 60 * 86_400_000;

/** The local CA: there, valid, bound to local names, its key private. */
export const authority: Check = {
  name: "CA",
  group: "certificates",
  run: async ({ home }) => {
    const [certPath, keyPath] = [join(home, "ca.pem"), join(home, "ca-key.pem")];
    const [certPem, keyPem] = await Promise.all([certPath, keyPath].map(readOrNothing));
    const keyMode = keyPem === undefined ? undefined : (await stat(keyPath)).mode & 0o777;
    return judgeAuthority({ certPem, keyPem, keyMode, certPath, keyPath, now: Date.now() });
  },
};

interface AuthorityFacts {
  readonly certPem: string | undefined;
  /** The file of the key, which holds the certificate too. */
  readonly keyPem: string | undefined;
  /** Its permission bits. */
  readonly keyMode: number | undefined;
  readonly certPath: string;
  readonly keyPath: string;
  /** ms since 1970. */
  readonly now: number;
}

export function judgeAuthority(facts: AuthorityFacts): Verdict | readonly Verdict[] {
  const { certPem, keyPem, keyMode, certPath, keyPath, now } = facts;
  if (certPem === undefined && keyPem === undefined)
    return { status: "ok", message: "none yet: the first `chanctl dev` makes it" };
  const startOver = [
    "chanctl trust --uninstall     takes it out of the trust stores, then",
    `rm -f "${certPath}" "${keyPath}"     the next start makes a new CA, to be trusted anew`,
  ].join("\n");
  if (keyPem === undefined)
    return { status: "fail", message: `${keyPath} is missing, ${certPath} is there`, fix: startOver };
  const certificate = parse(keyPem);
  if (certificate === undefined)
    return { status: "fail", message: `${keyPath} holds no certificate that can be read`, fix: startOver };
  const verdicts = [
    judgeValidity(certificate, { now, startOver }),
    judgeConstraints(certificate, { startOver }),
    judgeKeyMode(keyMode, keyPath),
    judgeCopy({ certificate, certPem, certPath }),
  ].filter((verdict) => verdict !== undefined);
  const bad = verdicts.filter(({ status }) => status !== "ok");
  return bad.length > 0 ? bad : (verdicts[0] ?? []);
}

function judgeValidity(
  { validFrom, validTo }: X509Certificate,
  { now, startOver }: { readonly now: number; readonly startOver: string },
): Verdict {
  if (now < Date.parse(validFrom))
    return { status: "fail", message: `valid only from ${validFrom}`, fix: "date     is the clock right?" };
  const leftMs = Date.parse(validTo) - now;
  if (leftMs <= 0) return { status: "fail", message: `it ended on ${validTo}`, fix: startOver };
  const message = `ends in ${formatDuration(leftMs)}`;
  return leftMs < SOON_MS ? { status: "warn", message, fix: startOver } : { status: "ok", message };
}

/** Without them a stolen key could stand in for any site (CWE-295). */
function judgeConstraints(
  { raw }: X509Certificate,
  { startOver }: { readonly startOver: string },
): Verdict | undefined {
  if (raw.includes(encodeNameConstraints())) return undefined;
  return {
    status: "warn",
    message: "it is not bound to local names: whoever gets its key could stand in for any site",
    fix: startOver,
  };
}

function judgeKeyMode(mode: number | undefined, keyPath: string): Verdict | undefined {
  if (process.platform === "win32" || mode === undefined || (mode & 0o077) === 0) return undefined;
  return {
    status: "fail",
    message: `${keyPath} can be read by others (${mode.toString(8).padStart(4, "0")})`,
    fix: `chmod 600 "${keyPath}"`,
  };
}

function judgeCopy({
  certificate,
  certPem,
  certPath,
}: {
  readonly certificate: X509Certificate;
  readonly certPem: string | undefined;
  readonly certPath: string;
}): Verdict | undefined {
  if (certPem === undefined)
    return { status: "warn", message: `${certPath} is missing`, fix: "chanctl dev     writes it anew" };
  if (parse(certPem)?.fingerprint256 === certificate.fingerprint256) return undefined;
  return {
    status: "fail",
    message: `${certPath} is another certificate than the CA's`,
    fix: `rm "${certPath}"     the next start writes it anew`,
  };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
  } catch {
    return undefined;
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw error;
  });
}
