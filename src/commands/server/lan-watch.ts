import type { Logger } from "../../shared/logger.ts";
import type { LanAccess } from "./lan-access.ts";

/** How soon a laptop that has come to another network is told its URLs there. */
const CHECK_INTERVAL_MS = 5_000;

interface LanWatchOptions {
  /** The network as it is now. */
  readonly access: () => LanAccess;
  /** Awaited before new URLs are told: the server's certificate is to be for them. Never rejects. */
  readonly beforeTelling?: (() => Promise<void>) | undefined;
  readonly logger: Logger;
  /** @default 5 s */
  readonly checkIntervalMs?: number;
}

/** Tells when others of the network reach the server by other URLs. Does not keep the process alive. */
export class LanWatch implements AsyncDisposable {
  readonly #options: LanWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #told: string;
  #look: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: LanWatchOptions) {
    this.#options = options;
    this.#told = JSON.stringify(options.access());
    // Asked again and again: Node tells of no change of a network.
    this.#timer = setInterval(() => {
      this.#look ??= this.#tellIfChanged().finally(() => (this.#look = undefined));
    }, options.checkIntervalMs ?? CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  async #tellIfChanged(): Promise<void> {
    const { access, beforeTelling, logger } = this.#options;
    if (JSON.stringify(access()) === this.#told) return;
    await beforeTelling?.();
    const fields = access();
    if (this.#isClosed) return;
    this.#told = JSON.stringify(fields);
    const message = `the network has changed: ${urlsText(fields)}`;
    logger({ level: "info", event: "network", message, fields: { ...fields } });
  }

  /** Stops; a look that is under way is waited for and tells nothing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#look;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function urlsText({ urls, publicUrls = [] }: LanAccess): string {
  const open = publicUrls.map((url) => `${url} (not private)`);
  return [...urls, ...open].join("  ") || "no address but the loopback's";
}
