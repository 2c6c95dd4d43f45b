import type { Logger } from "../shared/logger.ts";
import { appNotListening, appPortTaken } from "./app-log.ts";
import type { AppLogEntry } from "./app-log.ts";
import { AppRecord } from "./orphan.ts";
import type { OutputLine } from "./output-lines.ts";
import { RunningApp } from "./running-app.ts";

const STOP_GRACE_MS = 5_000;
const SLOW_START_MS = 20_000;

/** How the app is run. */
export interface RunsOptions {
  /** A shell command line: `npm run start`. */
  readonly command: string;
  /** The command line for a port, where it must name it. @default `command` */
  readonly commandFor?: (port: number) => string;
  /** Where it runs, absolute. */
  readonly cwd: string;
  /** Its whole environment, but for `PORT`; asked for at each start. */
  readonly env: NodeJS.ProcessEnv;
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

interface RunsListeners {
  /** Another program has its port: it is started once that has ended. */
  readonly onTaken: (run: RunningApp) => void;
  readonly onStart: (run: RunningApp) => void;
  readonly onReady: (run: RunningApp) => void;
  /** Its first process has exited by itself; the group may still have members. */
  readonly onExit: (run: RunningApp) => void;
  readonly tell: (run: RunningApp, entry: AppLogEntry) => void;
}

/** Every run of the app that lives: the one that answers, one that may succeed it, those that were replaced. */
export class AppRuns {
  readonly #options: RunsOptions;
  readonly #listeners: RunsListeners;
  readonly #record: AppRecord;
  readonly #runs = new Set<RunningApp>();

  constructor(options: RunsOptions, listeners: RunsListeners) {
    this.#options = options;
    this.#listeners = listeners;
    this.#record = new AppRecord(options);
  }

  /** Starts another, which is told to listen on this port. */
  launch(port: number): RunningApp {
    const { command, commandFor = () => command, cwd, env } = this.#options;
    const { stopGraceMs = STOP_GRACE_MS, slowStartMs = SLOW_START_MS } = this.#options;
    const { onTaken, tell } = this.#listeners;
    const run = new RunningApp({
      command: commandFor(port),
      cwd,
      env: { ...env, PORT: String(port) },
      port,
      record: this.#record,
      graceMs: stopGraceMs,
      slowStartMs,
      onLine: (line) => this.#options.onOutput?.(line),
      ...this.#listeners,
      onTaken: (waiting) => {
        onTaken(waiting);
        tell(waiting, appPortTaken(port, waiting.portTaker));
      },
      onSlow: (slow, otherPort) => tell(slow, appNotListening(slow, { otherPort, afterMs: slowStartMs })),
    });
    this.#runs.add(run);
    void run.outcome.then(() => this.#runs.delete(run));
    return run;
  }

  /** Ends each: SIGTERM, later SIGKILL. */
  stop(): void {
    for (const run of this.#runs) run.stop();
  }

  /** Ends each with SIGKILL, at once. Bound, to be a listener of the process's `exit`. */
  readonly kill = (): void => {
    for (const run of this.#runs) run.kill();
  };

  /** Resolves when nothing is left of those that live now. */
  async gone(): Promise<void> {
    await Promise.all([...this.#runs].map(({ outcome }) => outcome));
  }
}
