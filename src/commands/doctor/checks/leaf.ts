import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { loadProjectName } from "../../../certs/project-name.ts";
import { formatDuration } from "../../../shared/duration.ts";
import type { Check, Verdict } from "../check.ts";

/** The project's certificate. What is wrong with it is put right by the next start. */
export const leaf: Check = {
  name: "certificate",
  group: "certificates",
  run: async ({ home, root, isProject }) => {
    if (!isProject) return undefined;
    const name = await loadProjectName(root);
    const pem = await readFile(join(home, "leaves", `${name}.pem`), "utf8").catch(() => undefined);
    const caPem = await readFile(join(home, "ca.pem"), "utf8").catch(() => undefined);
    return judgeLeaf({ pem, caPem, host: `${name}.localhost`, now: Date.now() });
  },
};

interface LeafFacts {
  readonly pem: string | undefined;
  readonly caPem: string | undefined;
  readonly host: string;
  /** ms since 1970. */
  readonly now: number;
}

export function judgeLeaf({ pem, caPem, host, now }: LeafFacts): Verdict | undefined {
  if (pem === undefined || caPem === undefined) return undefined; // none yet
  const [certificate, ca] = [parse(pem), parse(caPem)];
  const fix = "chanctl dev     makes another when it starts";
  if (certificate === undefined || ca === undefined)
    return { status: "warn", message: "cannot be read", fix };
  if (!certificate.verify(ca.publicKey)) return { status: "warn", message: "is not of this CA", fix };
  const missing = ["localhost", host].find((name) => certificate.checkHost(name) === undefined);
  if (missing !== undefined) return { status: "warn", message: `is not for ${missing}`, fix };
  const leftMs = Date.parse(certificate.validTo) - now;
  if (leftMs <= 0) return { status: "warn", message: `ended on ${certificate.validTo}`, fix };
  return { status: "ok", message: `for localhost and ${host}, ends in ${formatDuration(leftMs)}` };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
  } catch {
    return undefined;
  }
}
