import { setTimeout as delay } from "node:timers/promises";
import { findListening } from "../platform/find-listening.ts";
import { findPortHolder } from "../platform/port-owner.ts";
import { announcedPorts } from "./announced-port.ts";

const POLL_MS = 50;
/** How long an app that says it listens on another port is given to listen on its own too. */
const CLAIMED_PORT_WAIT_MS = 1_000;
/** One that a line only mentions may be a part's of the app, such as its API's: what claims to listen goes first. */
const MENTIONED_PORT_WAIT_MS = 2_000;
/** Whose a port is takes a walk through all processes to find out. */
const LOOK_AGAIN_MS = 1_000;
/** After an app has named another port, this long until it is told of: it may still listen on its own. */
const OTHER_PORT_WARNING_MS = 3_000;
/** The newest of them; an app may log the address of everything that it calls. */
const MAX_OTHER_PORTS = 8;

/** Where an app listens. */
export interface Listening {
  readonly address: string;
  readonly port: number;
}

interface OtherPort {
  readonly port: number;
  readonly isClaimed: boolean;
  readonly readAt: number;
  lookAt: number;
  /** Another program is known to listen there. */
  isForeign: boolean;
}

interface WatchOptions {
  /** The app's process group. */
  readonly group: number | undefined;
  /** It still does not listen, and says that it does on this port, at which it was not found. Called once. */
  readonly onOtherPort: (port: number) => void;
}

/**
 * Waits until an app listens on its port. An app that ignores it and says in its output where it listens is found
 * there, if it is the app's own group that does: a line alone may name any server (CWE-300). Where that cannot be
 * told, as on Windows, it is not found.
 */
export class ListeningWatch {
  readonly #port: number;
  readonly #options: WatchOptions;
  /** By port, the oldest first. */
  readonly #others = new Map<number, OtherPort>();
  #hasTold = false;

  constructor(port: number, options: WatchOptions) {
    this.#port = port;
    this.#options = options;
  }

  /** Looks for ports in a line of the app's output. */
  read(line: string): void {
    for (const { port, isClaimed } of announcedPorts(line)) {
      const known = this.#others.get(port);
      if (port === this.#port || (known !== undefined && (known.isClaimed || !isClaimed))) continue;
      const readAt = performance.now();
      const lookAt = readAt + (isClaimed ? CLAIMED_PORT_WAIT_MS : MENTIONED_PORT_WAIT_MS);
      this.#others.set(port, { port, isClaimed, readAt, lookAt, isForeign: false });
      if (this.#others.size > MAX_OTHER_PORTS) this.#forgetOne();
    }
  }

  /** @returns Where it listens; `undefined` if `signal` is aborted first. */
  async until(signal: AbortSignal): Promise<Listening | undefined> {
    while (!signal.aborted) {
      const at = (await this.#find(this.#port)) ?? (await this.#findOther());
      if (at !== undefined) return signal.aborted ? undefined : at;
      if (!signal.aborted) this.#tellOther();
      await delay(POLL_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  #forgetOne(): void {
    const others = [...this.#others.values()];
    const least = others.find(({ isClaimed }) => !isClaimed) ?? others[0];
    if (least !== undefined) this.#others.delete(least.port);
  }

  async #find(port: number): Promise<Listening | undefined> {
    const address = await findListening(port);
    return address === undefined ? undefined : { address, port };
  }

  async #findOther(): Promise<Listening | undefined> {
    const { group } = this.#options;
    if (group === undefined) return undefined;
    const now = performance.now();
    const due = [...this.#others.values()].filter(({ lookAt }) => now >= lookAt);
    for (const other of due.toSorted((a, b) => Number(b.isClaimed) - Number(a.isClaimed))) {
      other.lookAt = now + LOOK_AGAIN_MS;
      const at = await this.#find(other.port);
      const holder = at && (await findPortHolder(other.port, { group }));
      if (holder === "group") return at;
      other.isForeign = holder === "other";
    }
    return undefined;
  }

  #tellOther(): void {
    if (this.#hasTold) return;
    const before = performance.now() - OTHER_PORT_WARNING_MS;
    const others = [...this.#others.values()];
    const told = others.find(
      ({ isClaimed, isForeign, readAt }) => isClaimed && !isForeign && readAt < before,
    );
    if (told === undefined) return;
    this.#hasTold = true;
    this.#options.onOtherPort(told.port);
  }
}
