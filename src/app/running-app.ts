import { guardGroup } from "../platform/group-guard.ts";
import type { GroupGuard } from "../platform/group-guard.ts";
import { signalGroup } from "../platform/process-group.ts";
import { messageOf } from "../shared/errors.ts";
import { runApp } from "./app-run.ts";
import type { RunOutcome } from "./app-run.ts";
import type { PortTaker } from "./free-port-wait.ts";
import type { AppRecord } from "./orphan.ts";
import type { OutputLine } from "./output-lines.ts";

const LAST_LINES = 20;

/** What programs write that need something of which there is one: a port, a lock, a database. */
const TAKEN = /EADDRINUSE|already in use|already running|another instance|acquire.{0,20} lock|is locked/i;

interface RunningAppOptions {
  readonly command: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  readonly record: AppRecord;
  readonly graceMs: number;
  readonly slowStartMs: number;
  readonly onLine: (line: OutputLine) => void;
  readonly onStart: (run: RunningApp) => void;
  readonly onReady: (run: RunningApp) => void;
  /** The first process has exited by itself; the group may still have members. */
  readonly onExit: (run: RunningApp) => void;
  /** Another program, `portTaker`, listens on its port: it is started once that has ended. */
  readonly onTaken: (run: RunningApp) => void;
  /** It has not listened for long; where it says that it listens on another port, on which. */
  readonly onSlow: (run: RunningApp, otherPort: number | undefined) => void;
}

/** One run of the app, from its start until nothing is left of it. */
export class RunningApp {
  /** The port that it was told. */
  readonly port: number;
  /** How it ended. Never rejects. */
  readonly outcome: Promise<RunOutcome>;
  readonly #options: RunningAppOptions;
  readonly #ending = new AbortController();
  #origin: URL;
  #address: string | undefined;
  #portTaker: PortTaker | undefined;
  #pid: number | undefined;
  #guard: GroupGuard | undefined;
  #lastLines: string[] = [];
  #conflict: string | undefined;
  #startedAt: number = performance.now();
  #slow: NodeJS.Timeout | undefined;
  #resolveReady: () => void = () => {};
  /** Resolves when it listens; never, if it never does. */
  readonly ready: Promise<void> = new Promise((resolve) => (this.#resolveReady = resolve));

  constructor(options: RunningAppOptions) {
    this.#options = options;
    this.port = options.port;
    this.#origin = originAt(options.port);
    this.outcome = this.#run();
  }

  /** When it was started, by `performance.now()`. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Where it answers. */
  get origin(): URL {
    return this.#origin;
  }

  /** The address of this machine at which it listens; `undefined` until it does. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Who has its port until it is started; `undefined` also where it cannot be told. */
  get portTaker(): PortTaker | undefined {
    return this.#portTaker;
  }

  /** The id of its process group; `undefined` once nothing is left of it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** The last 20 lines that it wrote, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** The first line in which it says that something it needs is taken. */
  get conflict(): string | undefined {
    return this.#conflict;
  }

  /** Ends it: SIGTERM, later SIGKILL. `outcome` tells when it is over. */
  stop(): void {
    this.#ending.abort();
  }

  /** Ends it with SIGKILL, at once; we may end right after, so that nothing is left that would signal its number. */
  kill(): void {
    if (this.#pid !== undefined) signalGroup(this.#pid, "SIGKILL");
    this.#forget();
  }

  async #run(): Promise<RunOutcome> {
    const { record, onTaken, onStart, onSlow, slowStartMs } = this.#options;
    const { signal } = this.#ending;
    const outcome = await runApp({
      ...this.#options,
      signal,
      onTaken: (taker) => {
        this.#portTaker = taker;
        onTaken(this);
      },
      onStart: (pid) => {
        this.#startedAt = performance.now();
        this.#slow = setTimeout(() => onSlow(this, undefined), slowStartMs);
        this.#pid = pid;
        record.add(pid);
        this.#guard = guardGroup(pid);
        this.#portTaker = undefined;
        onStart(this);
      },
      onLine: (line) => this.#read(line),
      onReady: ({ address, port }) => {
        clearTimeout(this.#slow);
        this.#address = address;
        if (port !== this.port) this.#origin = originAt(port);
        this.#options.onReady(this);
        this.#resolveReady();
      },
      onOtherPort: (port) => {
        clearTimeout(this.#slow);
        onSlow(this, port);
      },
      onExit: () => {
        if (!signal.aborted) this.#options.onExit(this);
      },
      onGone: () => this.#forget(),
    }).catch((error: unknown): RunOutcome => {
      this.kill();
      const ranMs = performance.now() - this.startedAt;
      return { reason: `could not be run: ${messageOf(error)}`, ranMs, wasReady: false };
    });
    clearTimeout(this.#slow);
    return outcome;
  }

  #forget(): void {
    this.#guard?.release();
    if (this.#pid !== undefined) this.#options.record.remove(this.#pid);
    this.#guard = undefined;
    this.#pid = undefined;
  }

  #read(line: OutputLine): void {
    this.#lastLines = [...this.#lastLines.slice(1 - LAST_LINES), line.text];
    if (this.#conflict === undefined && TAKEN.test(line.text)) this.#conflict = line.text;
    this.#options.onLine(line);
  }
}

function originAt(port: number): URL {
  return new URL(`http://localhost:${port}`);
}
