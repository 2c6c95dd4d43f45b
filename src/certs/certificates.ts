import { join } from "node:path";
import { ChanctlError } from "../shared/errors.ts";
import { loadAuthority } from "./authority.ts";
import { loadLeaf } from "./leaf.ts";
import { keepPermitted } from "./permitted-host.ts";
import { toHostLabel } from "./project-name.ts";

/** What a server needs for HTTPS that this user's browsers can trust. */
export interface Certificates {
  /** The leaf, then the CA, in PEM. */
  readonly certPem: string;
  /** The leaf's key, in PEM. */
  readonly keyPem: string;
  /** The file of the CA, for clients to trust. */
  readonly caPath: string;
  readonly caPem: string;
  /** The names, wildcards and addresses that the leaf is for. */
  readonly hosts: readonly string[];
  /** The end of the leaf's validity, ms since the epoch. */
  readonly validTo: number;
  /** Whether the CA was made by this call: nobody trusts it yet. */
  readonly isNewAuthority: boolean;
}

/** Whose certificates. */
export interface CertificatesOptions {
  /** The user's config folder, absolute, as `resolveConfigHome` gives it. */
  readonly home: string;
  /** As `loadProjectName` gives it; any other text is made a host label. */
  readonly projectName: string;
  /**
   * Further names, wildcards and addresses that the leaf is to be for, asked at each load. Those that the CA may not
   * sign for are left out. @default none
   */
  readonly hosts?: () => readonly string[];
  /** The clock, ms since the epoch. @default Date.now */
  readonly now?: () => number;
}

/**
 * Loads the CA of the user and the leaf of the project, making what is not there.
 *
 * The CA is made once: of several processes that start first together, one makes it and all use it. The leaf
 * is made anew 30 days before it ends, and whenever it does not fit.
 *
 * @throws {ChanctlError} `certificate_invalid` where a file cannot be read or written, or the CA on disk is
 *   damaged or has ended.
 */
export async function loadCertificates(options: CertificatesOptions): Promise<Certificates> {
  const { home, now = Date.now } = options;
  const project = toHostLabel(options.projectName);
  const projectHost = `${project}.localhost`;
  const own = ["localhost", "127.0.0.1", "::1", projectHost, `*.${projectHost}`];
  const hosts = [...new Set([...own, ...keepPermitted(options.hosts?.() ?? [])])];
  const path = join(home, "leaves", `${project}.pem`);
  const { authority, leaf } = await orWithoutTls(async () => {
    const authority = await loadAuthority({ home, now: now() });
    const { pair } = authority;
    return {
      authority,
      leaf: await loadLeaf({ path, hosts, commonName: projectHost, authority: pair, now: now() }),
    };
  });
  return {
    certPem: leaf.chainPem,
    keyPem: leaf.keyPem,
    caPath: authority.certPath,
    caPem: authority.pair.chainPem,
    hosts,
    validTo: leaf.validTo,
    isNewAuthority: authority.isNew,
  };
}

/** A server, unlike who only trusts the CA, can do without it. */
async function orWithoutTls<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    const { code, message, hint } = error;
    const lines = [...(hint === undefined ? [] : [hint]), "chanctl dev --no-tls    goes on without HTTPS"];
    throw new ChanctlError(code, message, { cause: error, hint: lines.join("\n") });
  }
}
