import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCertificates } from "#src/certs/certificates.ts";
import type { TlsOptions } from "#src/server/options.ts";

/** A CA and a leaf for `localhost`, in a folder that goes with them. */
export interface TestCertificates extends AsyncDisposable {
  readonly tls: TlsOptions;
  /** The CA to trust, in PEM. */
  readonly caPem: string;
}

/** Makes what a TLS server of a test needs, as `chanctl dev` makes it. */
export async function makeTestCertificates(): Promise<TestCertificates> {
  const folder = await mkdtemp(join(tmpdir(), "chanctl-tls-"));
  const { certPem, keyPem, caPem, caPath } = await loadCertificates({
    home: join(folder, "home"),
    projectName: "test",
  });
  return {
    tls: { cert: certPem, key: keyPem, caPath },
    caPem,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
