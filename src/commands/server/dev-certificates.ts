import { homedir } from "node:os";
import { CertificateRenewal } from "../../certs/certificate-renewal.ts";
import { loadCertificates } from "../../certs/certificates.ts";
import type { Certificates, CertificatesOptions } from "../../certs/certificates.ts";
import { resolveConfigHome } from "../../platform/config-home.ts";
import type { TlsOptions } from "../../server/options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { Logger } from "../../shared/logger.ts";
import type { Io } from "../io.ts";
import { toOwnHost } from "./host-warning.ts";
import { lanHosts, toCertificateHosts } from "./lan.ts";
import type { Lan } from "./lan.ts";

/** How soon a laptop that has come to another network, or a name to the config, is reached there without a warning. */
const CHECK_INTERVAL_MS = 5_000;

interface DevCertificatesOptions {
  readonly projectName: string;
  /** Where the server listens. */
  readonly host: string;
  /** Asked anew each time: the config is edited. */
  readonly allowedHosts: () => readonly string[];
  /** `undefined`: only this machine comes in. */
  readonly lan: Lan | undefined;
}

/** The certificates that `dev` presents, for all the names and addresses by which it is reached. */
export interface DevCertificates {
  readonly tls: TlsOptions;
  /** The user's config folder, absolute. */
  readonly home: string;
  readonly caPath: string;
  readonly caPem: string;
  /** Keeps them valid and for the addresses of the moment, until it is closed. */
  renew(server: RunningServer, logger: Logger): CertificateRenewal;
}

/** @throws {ChanctlError} `certificate_invalid`. */
export async function loadDevCertificates(
  { projectName, host, allowedHosts, lan }: DevCertificatesOptions,
  io: Io,
): Promise<DevCertificates> {
  const owner: CertificatesOptions = {
    home: resolveConfigHome({ env: io.env, platform: process.platform, homedir: homedir() }),
    projectName,
    hosts: () => [
      ...[toOwnHost(host) ?? []].flat(),
      ...toCertificateHosts(allowedHosts()),
      ...(lan === undefined ? [] : lanHosts(lan)),
    ],
  };
  const current = await loadCertificates(owner);
  return {
    tls: toTls(current),
    home: owner.home,
    caPath: current.caPath,
    caPem: current.caPem,
    renew: (server, logger) =>
      new CertificateRenewal({
        ...owner,
        current,
        onRenewed: (renewed) => server.setCertificate(toTls(renewed)),
        logger,
        checkIntervalMs: CHECK_INTERVAL_MS,
      }),
  };
}

function toTls({ certPem, keyPem, caPath }: Certificates): TlsOptions {
  return { cert: certPem, key: keyPem, caPath };
}
