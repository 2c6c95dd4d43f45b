import { setTimeout as delay } from "node:timers/promises";
import { pickFreePort } from "../platform/free-port.ts";
import { appNotReplaced, appNotTwice } from "./app-log.ts";
import type { AppLogEntry } from "./app-log.ts";
import type { AppRuns } from "./app-runs.ts";
import { Departures } from "./departures.ts";
import type { DrainOptions } from "./departures.ts";
import type { RunningApp } from "./running-app.ts";
import { awaitSuccessor } from "./succession.ts";
import type { Succession } from "./succession.ts";

/** Files that are saved together, by a checkout or a formatter, replace the app once. */
const SETTLE_MS = 100;
/** A successor that does not listen by then is given up: the app that runs stays. */
const SUCCESSOR_WITHIN_MS = 60_000;

/** How the app is replaced. */
export interface ReplacementOptions extends DrainOptions {
  /** A successor may be given another port and run beside the app that it replaces. @default false */
  readonly canMove?: boolean;
  /** How long a successor may take to listen, in ms. @default 60 s */
  readonly successorWithinMs?: number;
}

/** Whose app is replaced. */
interface Owner {
  readonly runs: AppRuns;
  readonly isReady: () => boolean;
  /** Ends the app, if it runs, and starts it again. */
  readonly restart: () => void;
  /** Sends every request to the successor from now on. @returns The run that answered until now. */
  readonly promote: (successor: RunningApp) => RunningApp | undefined;
  readonly tell: (run: RunningApp, entry: AppLogEntry) => void;
}

/** Replaces the app when its code is saved: one replacement at a time, the latest. */
export class Replacements {
  readonly #owner: Owner;
  readonly #successorWithinMs: number;
  readonly #departures: Departures;
  readonly #listeners = new Set<(earlier: URL) => Promise<void>>();
  #canMove: boolean;
  #savedAt = Number.NEGATIVE_INFINITY;
  /** Aborting it ends the present one. */
  #present = new AbortController();

  constructor(options: ReplacementOptions, owner: Owner) {
    const { canMove = false, successorWithinMs = SUCCESSOR_WITHIN_MS } = options;
    this.#owner = owner;
    this.#successorWithinMs = successorWithinMs;
    this.#departures = new Departures(options, owner);
    this.#canMove = canMove;
  }

  /** When the code was saved last, by `performance.now()`: what started earlier is outdated. */
  get savedAt(): number {
    return this.#savedAt;
  }

  /** Calls `listener` after each, with where the earlier run answered. @returns A function that ends this. */
  onReplaced(listener: (earlier: URL) => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on a save restarts the app: a successor could not run beside it. */
  forbid(): void {
    this.#canMove = false;
  }

  /** The code was saved: begins another, in place of the present one. */
  begin(): void {
    this.#savedAt = performance.now();
    this.cancel();
    this.#present = new AbortController();
    void this.#replace(this.#present.signal);
  }

  /** Ends the present one. */
  cancel(): void {
    this.#present.abort();
  }

  async #replace(signal: AbortSignal): Promise<void> {
    await delay(SETTLE_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (!this.#canMove || !this.#owner.isReady()) {
      this.#owner.restart();
      return;
    }
    const port = await pickFreePort();
    if (signal.aborted) return;
    this.#departures.hurry();
    const successor = this.#owner.runs.launch(port);
    const succession = await awaitSuccessor(successor, { withinMs: this.#successorWithinMs, signal });
    if (succession.kind === "ready" && !signal.aborted) this.#promote(successor);
    else if (succession.kind === "ready") successor.stop();
    else this.#keep(successor, succession);
  }

  /** No `await` may enter: a request would be sent to a run that ends. */
  #promote(successor: RunningApp): void {
    const earlier = this.#owner.promote(successor);
    if (earlier === undefined) return;
    const drained = [...this.#listeners].map((listener) => listener(earlier.origin));
    void this.#departures.leave(earlier, Promise.allSettled(drained));
  }

  /** The successor did not come up. */
  #keep(successor: RunningApp, succession: Exclude<Succession, { kind: "ready" }>): void {
    if (succession.kind === "cancelled") return;
    if (succession.kind === "conflict") {
      this.forbid();
      this.#owner.tell(successor, appNotTwice(succession.line));
      this.#owner.restart();
      return;
    }
    this.#savedAt = Number.NEGATIVE_INFINITY;
    this.#owner.tell(successor, appNotReplaced(succession.reason, successor.lastLines));
  }
}
