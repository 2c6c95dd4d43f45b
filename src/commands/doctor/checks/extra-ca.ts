import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Check, Verdict } from "../check.ts";

/** Whether Node programs that are started elsewhere trust the CA. */
export const extraCa: Check = {
  name: "Node",
  group: "certificates",
  run: async ({ env, home }) => {
    const caPath = join(home, "ca.pem");
    const caPem = await readFile(caPath, "utf8").catch(() => undefined);
    const given = env["NODE_EXTRA_CA_CERTS"] || undefined;
    const givenPem = given === undefined ? undefined : await readFile(given, "utf8").catch(() => undefined);
    return judgeExtraCa({ caPath, caPem, given, givenPem });
  },
};

interface ExtraCaFacts {
  readonly caPath: string;
  readonly caPem: string | undefined;
  /** The file of NODE_EXTRA_CA_CERTS. */
  readonly given: string | undefined;
  /** Its text; `undefined` where it cannot be read. */
  readonly givenPem: string | undefined;
}

export function judgeExtraCa({ caPath, caPem, given, givenPem }: ExtraCaFacts): Verdict | undefined {
  if (given !== undefined && givenPem === undefined) {
    return {
      status: "warn",
      message: `NODE_EXTRA_CA_CERTS names ${given}, which cannot be read: Node ignores it`,
      fix: `export NODE_EXTRA_CA_CERTS="${caPath}"`,
    };
  }
  if (caPem === undefined) return undefined;
  if (given === undefined) {
    return {
      status: "ok",
      message: `the app is given the CA; other Node programs need NODE_EXTRA_CA_CERTS="${caPath}"`,
    };
  }
  if (givenPem?.replaceAll(/\s/g, "").includes(caPem.replaceAll(/\s/g, "")))
    return { status: "ok", message: "NODE_EXTRA_CA_CERTS has the CA" };
  if (!/-----BEGIN (?:X509 )?CERTIFICATE-----/.test(givenPem ?? "")) {
    return {
      status: "warn",
      message: `NODE_EXTRA_CA_CERTS names ${given}, which holds no certificate in PEM: the app is given the CA alone`,
      fix: `export NODE_EXTRA_CA_CERTS="${caPath}"`,
    };
  }
  return {
    status: "ok",
    message: `the app is given the CA and what is in ${given}; all others have NODE_EXTRA_CA_CERTS as it is, and that file lacks the CA`,
  };
}
