import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { ChanctlError } from "../shared/errors.ts";
import { aborted } from "./aborted.ts";
import { toGivenUpError, toNotRunningError } from "./app-failure.ts";
import type { FailedApp } from "./app-failure.ts";
import { appExit, appGivenUp, appPort, appReady, appReplaced } from "./app-log.ts";
import type { AppLogEntry } from "./app-log.ts";
import type { RunOutcome } from "./app-run.ts";
import { AppRuns } from "./app-runs.ts";
import type { RunsOptions } from "./app-runs.ts";
import type { App, AppState } from "./app.ts";
import type { PortTaker } from "./free-port-wait.ts";
import { Replacements } from "./replacements.ts";
import type { ReplacementOptions } from "./replacements.ts";
import { decideRestart, NO_CRASHES } from "./restart-policy.ts";
import type { RunningApp } from "./running-app.ts";

const RETRY_AFTER_GIVING_UP_MS = 30_000;

/** The app, and how it is run and replaced. */
export interface SupervisorOptions extends RunsOptions, ReplacementOptions {
  /** The port that the app is told to listen on. */
  readonly port: number;
}

/**
 * Runs the user's app: starts it in a process group of its own, knows whether it listens, starts it again
 * after a crash, replaces it when its code was saved, and leaves nothing of it behind.
 *
 * ```
 *             start            port accepts
 *  stopped ──────────► starting ──────────► ready ◄─┐
 *     ▲                  ▲   │                │ │   │ replace(): a successor listens,
 *     │ close            │   │ exit           │ └───┘ and the earlier run ends
 *     │                  │   ▼                │ exit
 *  (any state)           └─ crashed ◄─────────┘
 *                     after a pause, or restart()
 * ```
 *
 * A start whose port another program has is `blocked` until that has ended, and `starting` then.
 */
export class Supervisor implements App {
  readonly #options: SupervisorOptions;
  readonly #runs: AppRuns;
  readonly #replacements: Replacements;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #state: AppState = "stopped";
  /** The run that answers, or the last that did. */
  #current: RunningApp | undefined;
  /** A successor that has taken over, until the supervision has noticed. */
  #promoted: RunningApp | undefined;
  #port: number;
  /** Set once the app has been given up. */
  #failure: ChanctlError | undefined;
  /** Aborting it ends the present run, or the pause before the next. */
  #turn = new AbortController();
  #isClosing = false;
  #supervision: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const tell = (run: RunningApp, entry: AppLogEntry): void => this.#tell(run, entry);
    this.#runs = new AppRuns(options, {
      onTaken: (run) => {
        if (run === this.#current) this.#enter("blocked");
      },
      onStart: (run) => {
        if (run === this.#current) this.#enter("starting");
      },
      onReady: (run) => this.#noteReady(run),
      onExit: (run) => {
        if (run === this.#current) this.#enter("crashed");
      },
      tell,
    });
    this.#replacements = new Replacements(options, {
      runs: this.#runs,
      isReady: () => this.#state === "ready",
      restart: () => this.restart(),
      promote: (successor) => this.#promote(successor),
      tell,
    });
    this.#port = options.port;
  }

  get origin(): URL {
    return this.#current?.origin ?? new URL(`http://localhost:${this.#port}`);
  }

  get state(): AppState {
    return this.#state;
  }

  get portTaker(): PortTaker | undefined {
    return this.#current?.portTaker;
  }

  get isGivenUp(): boolean {
    return this.#state === "crashed" && this.#failure !== undefined;
  }

  get address(): string | undefined {
    return this.#current?.address;
  }

  get isOutdated(): boolean {
    return this.#current !== undefined && this.#current.startedAt < this.#replacements.savedAt;
  }

  /** The port at which the app answers now. */
  get port(): number {
    return Number(this.origin.port);
  }

  /** The id of the app's process group; absent while it does not run. */
  get pid(): number | undefined {
    return this.#current?.pid;
  }

  get lastLines(): readonly string[] {
    return this.#current?.lastLines ?? [];
  }

  onState(listener: (state: AppState) => void): () => void {
    this.#events.on("state", listener);
    return () => this.#events.off("state", listener);
  }

  onReplaced(listener: (earlier: URL) => Promise<void>): () => void {
    return this.#replacements.onReplaced(listener);
  }

  async waitUntilReady(signal: AbortSignal): Promise<void> {
    while (this.#state !== "ready") {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state === "stopped") throw toNotRunningError(this.#failed);
      await once(this.#events, "news", { signal });
    }
  }

  /** Starts the app and keeps it running. Does nothing the second time. */
  start(): void {
    if (this.#supervision !== undefined || this.#isClosing) return;
    process.once("exit", this.#runs.kill);
    this.#supervision = this.#supervise();
    this.#supervision.catch(() => {}); // close() throws it; unhandled it would end the broker
  }

  /** Ends the app, if it runs, and starts it again at once, even if it had been given up. */
  restart(): void {
    this.#turn.abort();
  }

  /**
   * The app's code was saved. Starts it anew beside the one that runs, sends requests to the new one as soon as it
   * listens, and then ends the old one; an app that cannot run twice, or is not up, is restarted. Calls in quick
   * succession count as one. If the new one does not come up, the old one stays.
   */
  replace(): void {
    if (this.#supervision !== undefined && !this.#isClosing) this.#replacements.begin();
  }

  /** Ends the app for good with SIGKILL, without waiting: what a second Ctrl-C does. */
  kill(): void {
    this.#end();
    this.#runs.kill();
  }

  /** Ends the app for good: SIGTERM to its whole group, after 5 s SIGKILL. Resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.#end();
    await this.#supervision;
    await this.#runs.gone();
    process.off("exit", this.#runs.kill);
    this.#enter("stopped");
  }

  #end(): void {
    this.#isClosing = true;
    this.#replacements.cancel();
    this.#turn.abort();
    this.#runs.stop();
  }

  async #supervise(): Promise<void> {
    let crashes = NO_CRASHES;
    while (!this.#isClosing) {
      this.#turn = new AbortController();
      const { signal } = this.#turn;
      const run = this.#promoted ?? this.#begin();
      this.#promoted = undefined;
      const outcome = await Promise.race([run.outcome, aborted(signal)]);
      if (this.#promoted !== undefined) {
        crashes = NO_CRASHES;
      } else if (outcome === undefined || signal.aborted) {
        run.stop();
        this.#enter(this.#isClosing ? "stopped" : "starting");
        await run.outcome;
        crashes = NO_CRASHES;
      } else {
        this.#enter("crashed");
        const decision = decideRestart(crashes, outcome);
        crashes = decision.crashes;
        if (decision.kind === "restart") await this.#pause(outcome, { afterMs: decision.afterMs, signal });
        else await this.#giveUp(outcome, { times: crashes.failedStarts, signal });
        if (signal.aborted) crashes = NO_CRASHES;
      }
    }
    this.#enter("stopped");
  }

  /** Starts the app as the one that answers. */
  #begin(): RunningApp {
    this.#failure = undefined;
    this.#current = this.#runs.launch(this.#port);
    this.#enter("starting");
    return this.#current;
  }

  #noteReady(run: RunningApp): void {
    const port = Number(run.origin.port);
    if (port !== run.port) {
      this.#replacements.forbid(); // a successor would ignore its port as well
      this.#port = port;
      this.#tell(run, appPort({ toldPort: run.port, otherPort: port }));
    }
    if (run !== this.#current) return;
    this.#tell(run, appReady(Math.round(performance.now() - run.startedAt)));
    this.#enter("ready");
  }

  /** From here on every request goes to the successor. */
  #promote(successor: RunningApp): RunningApp | undefined {
    const earlier = this.#current;
    this.#current = successor;
    this.#promoted = successor;
    this.#port = successor.port;
    this.#failure = undefined;
    this.#tell(successor, appReplaced(Math.round(performance.now() - successor.startedAt)));
    this.#enter("ready");
    this.#turn.abort();
    return earlier;
  }

  async #pause(
    { reason }: RunOutcome,
    { afterMs, signal }: { readonly afterMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#tell(this.#current, appExit(reason, { restartAfterMs: afterMs, lastLines: this.lastLines }));
    await delay(afterMs, undefined, { signal }).catch(() => {}); // cut short by restart() and close()
  }

  async #giveUp(
    outcome: RunOutcome,
    { times, signal }: { readonly times: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#failure = toGivenUpError(this.#failed, { ...outcome, times });
    this.#enter("crashed");
    const retryAfterMs = RETRY_AFTER_GIVING_UP_MS;
    this.#tell(this.#current, appGivenUp(this.#failure, { retryAfterMs }));
    // Whoever mends it need not tell us; restart() cuts this short.
    await delay(retryAfterMs, undefined, { signal }).catch(() => {});
  }

  get #failed(): FailedApp {
    return { command: this.#options.command, port: this.#port, lastLines: this.lastLines };
  }

  #enter(state: AppState): void {
    const hasChanged = state !== this.#state;
    this.#state = state;
    if (hasChanged) this.#events.emit("state", state);
    this.#events.emit("news");
  }

  #tell(run: RunningApp | undefined, { fields, ...entry }: AppLogEntry): void {
    const pid = run?.pid === undefined ? {} : { pid: run.pid };
    this.#options.logger({ ...entry, fields: { ...pid, port: run?.port ?? this.#port, ...fields } });
  }
}
