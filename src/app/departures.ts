import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { appCutOff, appLeaves } from "./app-log.ts";
import type { AppLogEntry } from "./app-log.ts";
import type { RunningApp } from "./running-app.ts";

/** How long requests under way at a run that was replaced may take: an upload, an event stream. */
const DRAIN_MS = 60_000;
/** How long they may still take when yet another run is on its way. */
const HURRIED_DRAIN_MS = 5_000;

/** How long those who wait for an app that was replaced may wait. */
export interface DrainOptions {
  /** How long requests under way at an app that was replaced may take, in ms. @default 60 s */
  readonly drainMs?: number;
  /** How long they may once a further replacement begins, in ms. @default 5 s */
  readonly hurriedDrainMs?: number;
}

type Tell = (run: RunningApp, entry: AppLogEntry) => void;

/** Runs of the app that were replaced: each is ended once nobody waits for its answers, or after a while. */
export class Departures {
  readonly #drainMs: number;
  readonly #hurriedDrainMs: number;
  readonly #tell: Tell;
  /** Oldest first. Aborting one ends its run at once. */
  readonly #leaving = new Map<RunningApp, AbortController>();

  constructor(
    { drainMs = DRAIN_MS, hurriedDrainMs = HURRIED_DRAIN_MS }: DrainOptions,
    { tell }: { readonly tell: Tell },
  ) {
    this.#drainMs = drainMs;
    this.#hurriedDrainMs = hurriedDrainMs;
    this.#tell = tell;
  }

  /** Ends a run that gets no more requests, once `drained` resolves. Resolves when it has been told to end. */
  async leave(run: RunningApp, drained: Promise<unknown>): Promise<void> {
    const cut = new AbortController();
    const over = new AbortController();
    const startedAt = performance.now();
    this.#leaving.set(run, cut);
    const after = (milliseconds: number): Promise<void> =>
      delay(milliseconds, undefined, { signal: over.signal }).catch(() => {});
    void after(this.#hurriedDrainMs).then(() => {
      if (!over.signal.aborted) this.#tell(run, appLeaves());
    });
    const end = await Promise.race([
      drained.then(() => "drained"),
      run.outcome.then(() => "drained"),
      after(this.#drainMs).then(() => "cut"),
      once(cut.signal, "abort", { signal: over.signal }).then(
        () => "cut",
        () => "drained",
      ),
    ]);
    over.abort();
    this.#leaving.delete(run);
    if (end === "cut") this.#tell(run, appCutOff(performance.now() - startedAt));
    run.stop();
  }

  /**
   * Makes room for another run: the last that was replaced gets 5 s more, those before it none. So at most three take
   * requests or end theirs, however quick one save follows another.
   */
  hurry(): void {
    const leaving = [...this.#leaving.values()];
    const last = leaving.pop();
    for (const cut of leaving) cut.abort();
    if (last !== undefined) setTimeout(() => last.abort(), this.#hurriedDrainMs).unref();
  }
}
