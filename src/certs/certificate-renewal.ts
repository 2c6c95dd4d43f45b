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

/** Keeps the leaf of a running server valid. Does not keep the process alive. */
export class CertificateRenewal {
  readonly #options: RenewalOptions;
  readonly #timer: NodeJS.Timeout;
  #current: Certificates;
  #check: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#current = options.current;
    // Asked each hour: one long timer would stand still while a laptop sleeps, and Node's end at 24.8 days.
    this.#timer = setInterval(() => {
      this.#check ??= this.#renewIfDue().finally(() => (this.#check = undefined));
    }, options.checkIntervalMs ?? HOUR_MS);
    this.#timer.unref();
  }

  async #renewIfDue(): Promise<void> {
    const { now = Date.now, onRenewed, logger } = this.#options;
    if (!isDueForRenewal(this.#current.validTo, now())) return;
    try {
      const renewed = await loadCertificates(this.#options);
      if (this.#isClosed || renewed.certPem === this.#current.certPem) return;
      onRenewed(renewed);
      this.#current = renewed;
    } catch (error) {
      const message = `the certificate could not be renewed: ${messageOf(error)}`;
      logger({ level: "warn", event: "certificate-renewal", message });
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
