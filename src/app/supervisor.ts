import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { signalGroup } from "../platform/process-group.ts";
import { formatDuration } from "../shared/duration.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { announcedPort } from "./announced-port.ts";
import { runApp } from "./app-run.ts";
import type { RunOutcome } from "./app-run.ts";
import type { App, AppState } from "./app.ts";
import { forgetApp, recordApp } from "./orphan.ts";
import type { OutputLine } from "./output-lines.ts";
import { decideRestart, NO_CRASHES } from "./restart-policy.ts";

const LAST_LINES = 20;
const STOP_GRACE_MS = 5_000;
const SLOW_START_MS = 20_000;
const RETRY_AFTER_GIVING_UP_MS = 30_000;
/** How long an app that says it listens on another port is given to listen on its own too. */
const OTHER_PORT_WAIT_MS = 2_000;

export interface SupervisorOptions {
  /** A shell command line: `npm run start`. */
  readonly command: string;
  /** Where it runs, absolute. */
  readonly cwd: string;
  /** Its whole environment; nothing is added. */
  readonly env: NodeJS.ProcessEnv;
  /** The port that the app has been told to listen on, through `env`. */
  readonly port: number;
  /** Where word is left for the next start, should we be killed: `.chanctl`. */
  readonly stateFolder: string;
  readonly logger: Logger;
  /** Called with each line that the app writes. */
  readonly onOutput?: (line: OutputLine) => void;
  /** After this long without listening a warning says so, in ms. @default 20 s */
  readonly slowStartMs?: number;
  /** How long SIGTERM is given to work before SIGKILL, in ms. @default 5 s */
  readonly stopGraceMs?: number;
}

/**
 * Runs the user's app: starts it in a process group of its own, knows whether it listens, starts it again
 * after a crash, and leaves nothing of it behind.
 *
 * ```
 *             start            port accepts
 *  stopped ──────────► starting ──────────► ready
 *     ▲                  ▲   │                │
 *     │ close            │   │ exit           │ exit
 *     │                  │   ▼                │
 *  (any state)           └─ crashed ◄─────────┘
 *                     after a pause, or restart()
 * ```
 */
export class Supervisor implements App {
  readonly origin: URL;
  readonly #options: SupervisorOptions;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #state: AppState = "stopped";
  #lastLines: string[] = [];
  #pid: number | undefined;
  #address: string | undefined;
  /** Set once the app has been given up. */
  #failure: ChanctlError | undefined;
  /** Aborting it ends the present run, or the pause before the next. */
  #turn = new AbortController();
  #isClosing = false;
  #supervision: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.origin = new URL(`http://localhost:${options.port}`);
  }

  get state(): AppState {
    return this.#state;
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** The id of the app's process group; absent while it does not run. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  onState(listener: (state: AppState) => void): () => void {
    this.#events.on("state", listener);
    return () => this.#events.off("state", listener);
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
    process.once("exit", this.#killGroup);
    this.#supervision = this.#supervise();
    this.#supervision.catch(() => {}); // close() throws it; unhandled it would end the broker
  }

  /** Ends the app, if it runs, and starts it again at once, even if it had been given up. */
  restart(): void {
    this.#turn.abort();
  }

  /** Ends the app for good with SIGKILL, without waiting: what a second Ctrl-C does. */
  kill(): void {
    this.#isClosing = true;
    this.#killGroup();
    this.#turn.abort();
  }

  /** Ends the app for good: SIGTERM to its whole group, after 5 s SIGKILL. Resolves when nothing is left of it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#turn.abort();
    await this.#supervision;
    process.off("exit", this.#killGroup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #killGroup = (): void => {
    if (this.#pid !== undefined) signalGroup(this.#pid, "SIGKILL");
  };

  async #supervise(): Promise<void> {
    let crashes = NO_CRASHES;
    while (!this.#isClosing) {
      this.#turn = new AbortController();
      const { signal } = this.#turn;
      const outcome = await this.#run(signal);
      if (!signal.aborted) {
        const decision = decideRestart(crashes, outcome);
        crashes = decision.crashes;
        if (decision.kind === "restart") await this.#pause(outcome, { afterMs: decision.afterMs, signal });
        else await this.#giveUp(outcome, { times: crashes.failedStarts, signal });
      }
      if (signal.aborted) crashes = NO_CRASHES;
    }
    this.#enter("stopped");
  }

  async #run(signal: AbortSignal): Promise<RunOutcome> {
    const { slowStartMs = SLOW_START_MS, stopGraceMs = STOP_GRACE_MS } = this.#options;
    const startedAt = performance.now();
    this.#failure = undefined;
    this.#lastLines = [];
    this.#enter("starting");
    let slow = setTimeout(() => this.#warnThatItDoesNotListen(slowStartMs), slowStartMs);
    const onExit = (): void =>
      this.#enter(this.#isClosing ? "stopped" : signal.aborted ? "starting" : "crashed");
    const run = runApp({
      ...this.#options,
      graceMs: stopGraceMs,
      signal,
      onStart: (pid) => {
        this.#pid = pid;
        recordApp(pid, this.#options);
      },
      onLine: (line) => {
        this.#lastLines = [...this.#lastLines.slice(1 - LAST_LINES), line.text];
        this.#options.onOutput?.(line);
        const port = this.#state === "starting" ? announcedPort(line.text) : undefined;
        if (port === undefined || port === this.#options.port) return;
        clearTimeout(slow);
        slow = setTimeout(() => this.#warnOfOtherPort(port), OTHER_PORT_WAIT_MS);
      },
      onReady: (address) => {
        clearTimeout(slow);
        this.#address = address;
        const afterMs = Math.round(performance.now() - startedAt);
        this.#tell("info", "app-ready", `the app is ready after ${formatDuration(afterMs)}`, { afterMs });
        this.#enter("ready");
      },
      onExit,
    });
    const outcome = await run.catch((error: unknown): RunOutcome => {
      this.#killGroup();
      onExit();
      const ranMs = performance.now() - startedAt;
      return { reason: `could not be run: ${messageOf(error)}`, ranMs, wasReady: false };
    });
    clearTimeout(slow);
    forgetApp(this.#options);
    this.#pid = undefined;
    return outcome;
  }

  async #pause(
    { reason }: RunOutcome,
    { afterMs, signal }: { readonly afterMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const message = `the app ${reason}; starting it again in ${formatDuration(afterMs)}`;
    this.#tell("error", "app-exit", message, { restartAfterMs: afterMs, lastLines: this.#lastLines });
    await delay(afterMs, undefined, { signal }).catch(() => {}); // cut short by restart() and close()
  }

  async #giveUp(
    { reason }: RunOutcome,
    { times, signal }: { readonly times: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#failure = this.#fail(`${reason}, ${times} times in a row without ever listening`);
    this.#enter("crashed");
    const { message, fields, hint } = this.#failure;
    const next = `it is tried again in ${formatDuration(RETRY_AFTER_GIVING_UP_MS)}`;
    this.#tell("error", "app-given-up", `${message}; ${next}`, { ...fields, hint });
    // Whoever mends it need not tell us; restart() cuts this short.
    await delay(RETRY_AFTER_GIVING_UP_MS, undefined, { signal }).catch(() => {});
  }

  #fail(reason: string): ChanctlError {
    const { command, port } = this.#options;
    return new ChanctlError("app_failed", `the app \`${command}\` ${reason}`, {
      hint: `PORT=${port} ${command}     run it by itself to see what is wrong`,
      fields: { lastLines: this.#lastLines },
    });
  }

  #warnThatItDoesNotListen(afterMs: number): void {
    const expected = `must listen on the port in \`PORT\`, ${this.#options.port}`;
    const message = `the app ${expected}; it has not for ${formatDuration(afterMs)}`;
    const hint = "listen on `process.env.PORT`     or say where it listens: --app-port 3000";
    this.#tell("warn", "app-not-listening", message, { lastLines: this.#lastLines, hint });
  }

  #warnOfOtherPort(other: number): void {
    const expected = `must listen on the port in \`PORT\`, ${this.#options.port}`;
    const message = `the app ${expected}; it says that it listens on ${other}: try --app-port ${other}`;
    this.#tell("warn", "app-not-listening", message, { otherPort: other });
  }

  #enter(state: AppState): void {
    const hasChanged = state !== this.#state;
    this.#state = state;
    if (hasChanged) this.#events.emit("state", state);
    this.#events.emit("news");
  }

  #tell(
    level: "info" | "warn" | "error",
    event: string,
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    const pid = this.#pid === undefined ? {} : { pid: this.#pid };
    this.#options.logger({ level, event, message, fields: { ...pid, port: this.#options.port, ...fields } });
  }
}
