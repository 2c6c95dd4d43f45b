/**
 * - `starting`: runs and does not listen yet
 * - `ready`: its port accepts
 * - `crashed`: exited by itself; comes back after a while, or has been given up
 * - `stopped`: not started, or closed
 */
export type AppState = "starting" | "ready" | "crashed" | "stopped";

/** The user's app, as those see it who send it requests. */
export interface App {
  /** Where it answers. It never changes, whatever the state. */
  readonly origin: URL;
  /** At which address of this machine it was last seen to listen; `undefined` where nobody has looked. */
  readonly address: string | undefined;
  readonly state: AppState;
  /** The last 20 lines that it wrote, oldest first. */
  readonly lastLines: readonly string[];
  /** Calls `listener` on each change of state. @returns A function that ends this. */
  onState(listener: (state: AppState) => void): () => void;
  /**
   * Resolves once the app is ready; at once if it is.
   *
   * @throws {ChanctlError} `app_failed`, its `fields.lastLines` being what it wrote last, if it will not
   *   come back by itself.
   */
  waitUntilReady(signal: AbortSignal): Promise<void>;
}
