import type { PortTaker } from "./free-port-wait.ts";

/**
 * - `blocked`: another program has its port; it is started once that has ended
 * - `starting`: runs and does not listen yet
 * - `ready`: its port accepts
 * - `crashed`: exited by itself; comes back after a while, or has been given up
 * - `stopped`: not started, or closed
 */
export type AppState = "blocked" | "starting" | "ready" | "crashed" | "stopped";

/** The user's app, as those see it who send it requests. */
export interface App {
  /** Where it answers now. Another run of it may answer elsewhere: ask again for each request. */
  readonly origin: URL;
  /** At which address of this machine it was last seen to listen; `undefined` where nobody has looked. */
  readonly address: string | undefined;
  readonly state: AppState;
  /** Who has its port while it is `blocked`; `undefined` also where it cannot be told. */
  readonly portTaker: PortTaker | undefined;
  /** It has crashed, and is tried again only now and then. */
  readonly isGivenUp: boolean;
  /**
   * Its code has been saved since it started, and a successor is on its way: pages may still come from it, but it
   * must not be asked who may do what, for a rule that was tightened would stay open.
   */
  readonly isOutdated: boolean;
  /** The last 20 lines that it wrote, oldest first. */
  readonly lastLines: readonly string[];
  /** Calls `listener` on each change of state. @returns A function that ends this. */
  onState(listener: (state: AppState) => void): () => void;
  /**
   * Calls `listener` when another run of the app answers from now on, with where the earlier one did. That one is
   * ended once every listener's promise has resolved, after 60 s at the latest, or 5 s after yet another is started.
   *
   * @returns A function that ends this.
   */
  onReplaced(listener: (earlier: URL) => Promise<void>): () => void;
  /**
   * Resolves once the app is ready; at once if it is.
   *
   * @throws {ChanctlError} `app_failed`, its `fields.lastLines` being what it wrote last, if it will not
   *   come back by itself.
   */
  waitUntilReady(signal: AbortSignal): Promise<void>;
}
