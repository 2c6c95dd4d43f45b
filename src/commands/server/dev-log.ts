import type { OutputLine } from "../../app/output-lines.ts";
import type { RunningServer } from "../../server/start-server.ts";
import { ChanctlError, messageOf } from "../../shared/errors.ts";
import type { LogEntry, Logger } from "../../shared/logger.ts";
import { describeEnd } from "./end-cause.ts";
import type { EndCause } from "./end-cause.ts";
import { FrequentEntries } from "./frequent-entries.ts";
import type { EntrySum } from "./frequent-entries.ts";
import { appOutputLine, entryLine, readyLine } from "./json-lines.ts";
import { LogBuffer } from "./log-buffer.ts";
import { LogFile } from "./log-file.ts";
import { devLogPath } from "./log-start.ts";
import { maskedCommand } from "./masked-command.ts";
import type { NetworkView } from "./network-view.ts";
import type { ReportFormat } from "./reporter.ts";

interface DevLogOptions {
  /** `.chanctl`, absolute. */
  readonly stateFolder: string;
  readonly version: string;
  /** What came after `chanctl` in the command line. */
  readonly args: readonly string[];
  /** What `ready` says of the network. */
  readonly network?: NetworkView | undefined;
}

const MAX_BUFFERED_CHARS = 4 * 1_024 * 1_024;

/**
 * What `dev` has told and what the app has written, in a file: for who comes back to a closed terminal, or writes a
 * bug report. The objects are those of `dev --json`, in the order in which things happened.
 */
export class DevLog implements ReportFormat {
  readonly #options: DevLogOptions;
  readonly #header: string;
  readonly #buffer = new LogBuffer({ maxChars: MAX_BUFFERED_CHARS, droppedLine });
  readonly #entries = new FrequentEntries({
    print: (line) => this.#write(line),
    lineOf: entryLine,
    sumLineOf: (sum) => entryLine(sumEntry(sum)),
  });
  #file: LogFile | undefined;
  #cause: EndCause | undefined;
  #isEnded = false;

  constructor(options: DevLogOptions) {
    this.#options = options;
    this.#header = entryLine(startEntry(options));
  }

  /**
   * Begins the file. Not before the store's lock is ours: the file may be that of a chanctl that runs.
   *
   * @param tell hears once that the file cannot be written.
   */
  open(tell: Logger): void {
    this.#file = new LogFile({
      path: devLogPath(this.#options.stateFolder),
      buffer: this.#buffer,
      header: this.#header,
      onProblem: (error) => tell(problemEntry(error)),
    });
    process.on("uncaughtExceptionMonitor", this.#onCrash);
    process.on("exit", this.#onExit);
  }

  ready(server: RunningServer): void {
    this.#write(readyLine(server, this.#options.network));
  }

  entry(entry: LogEntry): void {
    this.#entries.add(entry);
  }

  appOutput(line: OutputLine): void {
    this.#write(appOutputLine(line));
  }

  /** The server is about to end. */
  stopping(cause: EndCause): void {
    this.#cause = cause;
    const message = `chanctl stops: ${describeEnd(cause)}`;
    this.#write(entryLine({ level: "info", event: "stopping", message, fields: { cause } }));
  }

  /** Says that all is closed, and writes what is left; a second at most. */
  async close(): Promise<void> {
    if (this.#file === undefined || this.#isEnded) return;
    this.#entries.close();
    const fields = { cause: this.#cause };
    this.#write(
      entryLine({ level: "info", event: "end", message: "chanctl has ended; all is closed", fields }),
    );
    this.#isEnded = true;
    await this.#file.close();
    process.off("uncaughtExceptionMonitor", this.#onCrash);
    process.off("exit", this.#onExit);
  }

  readonly #onCrash = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#write(entryLine({ level: "error", event: "crash", message }));
  };

  readonly #onExit = (exitCode: number): void => {
    if (!this.#isEnded) this.#endAtOnce(exitCode);
    this.#file?.writeNow();
  };

  #endAtOnce(exitCode: number): void {
    this.#entries.close();
    const message = `chanctl has ended at once, with exit code ${exitCode}`;
    this.#write(
      entryLine({ level: "warn", event: "end", message, fields: { cause: this.#cause, exitCode } }),
    );
  }

  #write(line: string): void {
    this.#buffer.add(line);
    this.#file?.wake();
  }
}

function startEntry({ version, args }: DevLogOptions): LogEntry {
  const command = maskedCommand(args, process.platform);
  const fields = { version, pid: process.pid, command, node: process.version, platform: process.platform };
  return { level: "info", event: "start", message: `chanctl ${version} starts`, fields };
}

function sumEntry({ event, path, count }: EntrySum): LogEntry {
  const message = `${event} on ${path ?? "other streams"} × ${count} in the last second`;
  return { level: "info", event, message, fields: { path, count } };
}

function problemEntry(error: unknown): LogEntry {
  const message = `${messageOf(error)}; what happens meanwhile may be missing there`;
  const hint = error instanceof ChanctlError ? error.hint : undefined;
  return { level: "warn", event: "log-file", message, fields: { hint } };
}

function droppedLine(count: number): string {
  const message = `${count} ${count === 1 ? "line is" : "lines are"} missing here: the disk did not take them in time`;
  return entryLine({ level: "warn", event: "log-gap", message, fields: { count } });
}
