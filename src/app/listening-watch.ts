import { setTimeout as delay } from "node:timers/promises";
import { findListening } from "../platform/find-listening.ts";
import { findPortOwner } from "../platform/port-owner.ts";
import { isInGroup } from "../platform/process-identity.ts";
import { announcedPort } from "./announced-port.ts";

const POLL_MS = 50;
/** How long an app that says it listens on another port is given to listen on its own too. */
const OTHER_PORT_WAIT_MS = 1_000;

/** Where an app listens. */
export interface Listening {
  readonly address: string;
  readonly port: number;
}

/**
 * Waits until an app listens on its port. An app that ignores it and says in its output where it listens is found
 * there, if it is a process of the app's own group that does: a line alone may name any server (CWE-300).
 */
export class ListeningWatch {
  readonly #port: number;
  readonly #group: number | undefined;
  #other: { readonly port: number; readonly since: number } | undefined;

  constructor(port: number, { group }: { readonly group: number | undefined }) {
    this.#port = port;
    this.#group = group;
  }

  /** Looks for a port in a line of the app's output. */
  read(line: string): void {
    const port = announcedPort(line);
    if (port === undefined || port === this.#port || this.#other !== undefined) return;
    this.#other = { port, since: performance.now() };
  }

  /** @returns Where it listens; `undefined` if `signal` is aborted first. */
  async until(signal: AbortSignal): Promise<Listening | undefined> {
    while (!signal.aborted) {
      const at = (await this.#find(this.#port)) ?? (await this.#findOther());
      if (at !== undefined) return signal.aborted ? undefined : at;
      await delay(POLL_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  async #find(port: number): Promise<Listening | undefined> {
    const address = await findListening(port);
    return address === undefined ? undefined : { address, port };
  }

  async #findOther(): Promise<Listening | undefined> {
    if (this.#other === undefined || this.#group === undefined) return undefined;
    const { port, since } = this.#other;
    if (performance.now() - since < OTHER_PORT_WAIT_MS) return undefined;
    const at = await this.#find(port);
    const owner = at && (await findPortOwner(port));
    return owner !== undefined && isInGroup(owner.pid, this.#group) ? at : undefined;
  }
}
