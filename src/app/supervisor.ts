import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { pickFreePort } from "../platform/free-port.ts";
import { formatDuration } from "../shared/duration.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { LogEntry, Logger } from "../shared/logger.ts";
import { aborted } from "./aborted.ts";
import type { RunOutcome } from "./app-run.ts";
import type { App, AppState } from "./app.ts";
import { Departures } from "./departures.ts";
import { AppRecord } from "./orphan.ts";
import type { OutputLine } from "./output-lines.ts";
import { awaitSuccessor } from "./replacement.ts";
import type { Succession } from "./replacement.ts";
import { decideRestart, NO_CRASHES } from "./restart-policy.ts";
import { RunningApp } from "./running-app.ts";

const STOP_GRACE_MS = 5_000;
const SLOW_START_MS = 20_000;
const RETRY_AFTER_GIVING_UP_MS = 30_000;
/** Files that are saved together, by a checkout or a formatter, replace the app once. */
const SETTLE_MS = 100;
/** A successor that does not listen by then is given up: the app that runs stays. */
const SUCCESSOR_WITHIN_MS = 60_000;

export interface SupervisorOptions {
  /** A shell command line: `npm run start`. */
  readonly command: string;
  /** The command line for a port, where it must name it. @default `command` */
  readonly commandFor?: (port: number) => string;
  /** Where it runs, absolute. */
  readonly cwd: string;
  /** Its whole environment, but for `PORT`. */
  readonly env: NodeJS.ProcessEnv;
  /** The port that the app is told to listen on. */
  readonly port: number;
  /** A successor may be given another port and run beside the app that it replaces. @default false */
  readonly canMove?: boolean;
  /** Where word is left for the next start, should we be killed: `.chanctl`. */
  readonly stateFolder: string;
  readonly logger: Logger;
  /** Called with each line that the app writes. */
  readonly onOutput?: (line: OutputLine) => void;
  /** After this long without listening a warning says so, in ms. @default 20 s */
  readonly slowStartMs?: number;
  /** How long SIGTERM is given to work before SIGKILL, in ms. @default 5 s */
  readonly stopGraceMs?: number;
  /** How long a successor may take to listen, in ms. @default 60 s */
  readonly successorWithinMs?: number;
  /** How long requests under way at an app that was replaced may take, in ms. @default 60 s */
  readonly drainMs?: number;
  /** How long they may once a further replacement begins, in ms. @default 5 s */
  readonly hurriedDrainMs?: number;
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
 */
export class Supervisor implements App {
  readonly #options: SupervisorOptions;
  readonly #record: AppRecord;
  readonly #departures: Departures;
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #replaced = new Set<(earlier: URL) => Promise<void>>();
  /** Everything that lives: the run that answers, one that may succeed it, those that were replaced. */
  readonly #runs = new Set<RunningApp>();
  #state: AppState = "stopped";
  /** The run that answers, or the last that did. */
  #current: RunningApp | undefined;
  /** A successor that has taken over, until the supervision has noticed. */
  #promoted: RunningApp | undefined;
  #port: number;
  #canMove: boolean;
  /** When the code was saved last, by `performance.now()`: what started earlier is outdated. */
  #savedAt = Number.NEGATIVE_INFINITY;
  /** Set once the app has been given up. */
  #failure: ChanctlError | undefined;
  /** Aborting it ends the present run, or the pause before the next. */
  #turn = new AbortController();
  /** Aborting it ends the present replacement. */
  #replacement = new AbortController();
  #isClosing = false;
  #supervision: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#record = new AppRecord(options);
    this.#departures = new Departures({ ...options, tell: (run, entry) => this.#tell(run, entry) });
    this.#port = options.port;
    this.#canMove = options.canMove ?? false;
  }

  get origin(): URL {
    return this.#current?.origin ?? new URL(`http://localhost:${this.#port}`);
  }

  get state(): AppState {
    return this.#state;
  }

  get isGivenUp(): boolean {
    return this.#state === "crashed" && this.#failure !== undefined;
  }

  get address(): string | undefined {
    return this.#current?.address;
  }

  get isOutdated(): boolean {
    return this.#current !== undefined && this.#current.startedAt < this.#savedAt;
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
    this.#replaced.add(listener);
    return () => this.#replaced.delete(listener);
  }

  async waitUntilReady(signal: AbortSignal): Promise<void> {
    while (this.#state !== "ready") {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#state === "stopped") throw this.#fail("is not running");
      await once(this.#events, "news", { signal });
    }
  }

  /** Starts the app and keeps it running. Does nothing the second time. */
  start(): void {
    if (this.#supervision !== undefined || this.#isClosing) return;
    process.once("exit", this.#killAll);
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
    if (this.#supervision === undefined || this.#isClosing) return;
    this.#savedAt = performance.now();
    this.#replacement.abort();
    this.#replacement = new AbortController();
    void this.#replace(this.#replacement.signal);
  }

  /** Ends the app for good with SIGKILL, without waiting: what a second Ctrl-C does. */
  kill(): void {
    this.#end();
    this.#killAll();
  }

  /** Ends the app for good: SIGTERM to its whole group, after 5 s SIGKILL. Resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.#end();
    await this.#supervision;
    await Promise.all([...this.#runs].map(({ outcome }) => outcome));
    process.off("exit", this.#killAll);
    this.#enter("stopped");
  }

  #end(): void {
    this.#isClosing = true;
    this.#replacement.abort();
    this.#turn.abort();
    for (const run of this.#runs) run.stop();
  }

  readonly #killAll = (): void => {
    for (const run of this.#runs) run.kill();
  };

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
    this.#current = this.#launch(this.#port);
    this.#enter("starting");
    return this.#current;
  }

  #launch(port: number): RunningApp {
    const { command, commandFor = () => command, stopGraceMs = STOP_GRACE_MS } = this.#options;
    const { slowStartMs = SLOW_START_MS } = this.#options;
    const run = new RunningApp({
      command: commandFor(port),
      cwd: this.#options.cwd,
      env: { ...this.#options.env, PORT: String(port) },
      port,
      record: this.#record,
      graceMs: stopGraceMs,
      slowStartMs,
      onLine: (line) => this.#options.onOutput?.(line),
      onReady: () => this.#noteReady(run),
      onExit: () => {
        if (run === this.#current) this.#enter("crashed");
      },
      onSlow: (_, otherPort) => this.#warnThatItDoesNotListen(run, { otherPort, afterMs: slowStartMs }),
    });
    this.#runs.add(run);
    void run.outcome.then(() => this.#runs.delete(run));
    return run;
  }

  #noteReady(run: RunningApp): void {
    const port = Number(run.origin.port);
    if (port !== run.port) {
      // It would ignore the port of a successor as well.
      this.#canMove = false;
      this.#port = port;
      const message = `the app listens on ${port}, not on the port in \`PORT\`, ${run.port}: requests go to ${port}`;
      this.#tell(run, { level: "warn", event: "app-port", message, fields: { otherPort: port } });
    }
    if (run !== this.#current) return;
    const afterMs = Math.round(performance.now() - run.startedAt);
    const message = `the app is ready after ${formatDuration(afterMs)}`;
    this.#tell(run, { level: "info", event: "app-ready", message, fields: { afterMs } });
    this.#enter("ready");
  }

  async #replace(signal: AbortSignal): Promise<void> {
    await delay(SETTLE_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (!this.#canMove || this.#state !== "ready") {
      this.restart();
      return;
    }
    const port = await pickFreePort();
    if (signal.aborted) return;
    this.#departures.hurry();
    const successor = this.#launch(port);
    const { successorWithinMs = SUCCESSOR_WITHIN_MS } = this.#options;
    const succession = await awaitSuccessor(successor, { withinMs: successorWithinMs, signal });
    if (succession.kind === "ready" && !signal.aborted) this.#promote(successor);
    else if (succession.kind === "ready") successor.stop();
    else this.#keep(successor, succession);
  }

  /** From here on every request goes to the successor. No `await` may enter: one would be sent to a run that ends. */
  #promote(successor: RunningApp): void {
    const earlier = this.#current;
    this.#current = successor;
    this.#promoted = successor;
    this.#port = successor.port;
    this.#failure = undefined;
    const afterMs = Math.round(performance.now() - successor.startedAt);
    const message = `the app is replaced after ${formatDuration(afterMs)}: what was saved is live`;
    this.#tell(successor, { level: "info", event: "app-replaced", message, fields: { afterMs } });
    this.#enter("ready");
    if (earlier !== undefined) {
      const drained = [...this.#replaced].map((listener) => listener(earlier.origin));
      void this.#departures.leave(earlier, Promise.allSettled(drained));
    }
    this.#turn.abort();
  }

  /** The successor did not come up. */
  #keep(successor: RunningApp, succession: Exclude<Succession, { kind: "ready" }>): void {
    if (succession.kind === "cancelled") return;
    if (succession.kind === "conflict") {
      this.#canMove = false;
      const message = `two of the app cannot run at once (${succession.line.trim()}); it is stopped before it starts again`;
      this.#tell(successor, { level: "warn", event: "app-not-twice", message, fields: {} });
      this.restart();
      return;
    }
    this.#savedAt = Number.NEGATIVE_INFINITY;
    const message = `the app stays as it was before the save, for the new one ${succession.reason}`;
    const fields = { lastLines: successor.lastLines };
    this.#tell(successor, { level: "error", event: "app-not-replaced", message, fields });
  }

  async #pause(
    { reason }: RunOutcome,
    { afterMs, signal }: { readonly afterMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const message = `the app ${reason}; starting it again in ${formatDuration(afterMs)}`;
    const fields = { restartAfterMs: afterMs, lastLines: this.lastLines };
    this.#tell(this.#current, { level: "error", event: "app-exit", message, fields });
    await delay(afterMs, undefined, { signal }).catch(() => {}); // cut short by restart() and close()
  }

  async #giveUp(
    { reason, isMissing = false }: RunOutcome,
    { times, signal }: { readonly times: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#failure = isMissing
      ? this.#fail(
          "was not found",
          "npm install     if its packages are not there yet; else name another command with --app",
        )
      : this.#fail(`${reason}, ${times} times in a row without ever listening`);
    this.#enter("crashed");
    const { message, fields, hint } = this.#failure;
    const next = `it is tried again in ${formatDuration(RETRY_AFTER_GIVING_UP_MS)}`;
    this.#tell(this.#current, {
      level: "error",
      event: "app-given-up",
      message: `${message}; ${next}`,
      fields: { ...fields, hint },
    });
    // Whoever mends it need not tell us; restart() cuts this short.
    await delay(RETRY_AFTER_GIVING_UP_MS, undefined, { signal }).catch(() => {});
  }

  #fail(reason: string, hint?: string): ChanctlError {
    const { command } = this.#options;
    return new ChanctlError("app_failed", `the app \`${command}\` ${reason}`, {
      hint: hint ?? `PORT=${this.#port} ${command}     run it by itself to see what is wrong`,
      fields: { lastLines: this.lastLines },
    });
  }

  #warnThatItDoesNotListen(
    run: RunningApp,
    { otherPort, afterMs }: { readonly otherPort: number | undefined; readonly afterMs: number },
  ): void {
    const expected = `the app must listen on the port in \`PORT\`, ${run.port}`;
    const problem =
      otherPort === undefined
        ? `${expected}; it has not for ${formatDuration(afterMs)}`
        : `${expected}; it says that it listens on ${otherPort}: try --app-port ${otherPort}`;
    const hint = "listen on `process.env.PORT`     or say where it listens: --app-port 3000";
    const fields = otherPort === undefined ? { lastLines: run.lastLines, hint } : { otherPort };
    this.#tell(run, { level: "warn", event: "app-not-listening", message: problem, fields });
  }

  #enter(state: AppState): void {
    const hasChanged = state !== this.#state;
    this.#state = state;
    if (hasChanged) this.#events.emit("state", state);
    this.#events.emit("news");
  }

  #tell(run: RunningApp | undefined, { fields, ...entry }: Required<LogEntry>): void {
    const pid = run?.pid === undefined ? {} : { pid: run.pid };
    this.#options.logger({ ...entry, fields: { ...pid, port: run?.port ?? this.#port, ...fields } });
  }
}
