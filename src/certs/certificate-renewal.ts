import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { type Certificates, type CertificatesOptions, loadCertificates } from "./certificates.ts";
import { isDueForRenewal } from "./leaf.ts";

const HOUR_MS = 3_600_000;

interface RenewalOptions extends CertificatesOptions {
  /** The certificates in use. */
  readonly current: Certificates;
  /** Takes the new ones: `server.setSecureContext({ cert, key })`. */
  readonly onRenewed: (certificates: Certificates) => void;
  readonly logger: Logger;
  /** @default 1 h */
  readonly checkIntervalMs?: number;
}

/** Keeps the leaf of a running server valid, and for the hosts that it has come to have. Does not keep the process alive. */
export class CertificateRenewal {
  readonly #options: RenewalOptions;
  readonly #timer: NodeJS.Timeout;
  #current: Certificates;
  /** The further hosts that were last asked for. */
  #hosts: string;
  #failure: string | undefined;
  #check: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#current = options.current;
    this.#hosts = hostsOf(options);
    // Asked each hour: one long timer would stand still while a laptop sleeps, and Node's end at 24.8 days.
    this.#timer = setInterval(() => void this.check(), options.checkIntervalMs ?? HOUR_MS);
    this.#timer.unref();
  }

  /** Looks at once; resolves when what was due is renewed, or cannot be. Never rejects. */
  check(): Promise<void> {
    return (this.#check ??= this.#renewIfDue().finally(() => (this.#check = undefined)));
  }

  async #renewIfDue(): Promise<void> {
    const { now = Date.now, onRenewed, logger } = this.#options;
    const hosts = hostsOf(this.#options);
    const isDue = isDueForRenewal(this.#current.validTo, now());
    if (hosts === this.#hosts && !isDue) return;
    try {
      const renewed = await loadCertificates(this.#options);
      this.#hosts = hosts;
      this.#failure = undefined;
      if (this.#isClosed || renewed.certPem === this.#current.certPem) return;
      onRenewed(renewed);
      this.#current = renewed;
    } catch (error) {
      const message = `the certificate could not be renewed: ${messageOf(error)}`;
      // Hosts are looked at often: the same failure for them is told once.
      if (isDue || message !== this.#failure)
        logger({ level: "warn", event: "certificate-renewal", message });
      this.#failure = message;
    }
  }

  /** Stops; a renewal that is under way is waited for and not announced. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#check;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function hostsOf({ hosts }: CertificatesOptions): string {
  return (hosts?.() ?? []).join(" ");
}
