import { isInForeground } from "../../platform/foreground.ts";
import { readPackageVersion } from "../../platform/package-version.ts";
import type { OutputLine } from "../../app/output-lines.ts";
import type { AppOptions } from "../../server/options.ts";
import { mistypedVariables } from "../../server/mistyped-variables.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { LogEntry } from "../../shared/logger.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { banner } from "./banner.ts";
import { DevLog } from "./dev-log.ts";
import type { EndCause } from "./end-cause.ts";
import { jsonFormat } from "./json-format.ts";
import { LiveTerminal } from "./live-terminal.ts";
import type { ServerControls } from "./live-terminal.ts";
import type { NetworkView } from "./network-view.ts";
import { textFormat } from "./text-format.ts";

/** How what a server does is shown: lines for a person, or JSON for a program. */
export interface ReportFormat {
  ready(server: RunningServer): void;
  entry(entry: LogEntry): void;
  appOutput(line: OutputLine): void;
}

interface ReporterOptions {
  readonly io: Io;
  readonly isJson: boolean;
  /** When the command began, by `performance.now()`. */
  readonly startedAt: number;
  readonly app: AppOptions | undefined;
  /** Another name that the server's certificate is for: `shop.localhost`. */
  readonly projectHost?: string | undefined;
  /** Which trust stores trust the CA, where there is one. */
  readonly trustText?: string | undefined;
  /** What is shown of the network where others come in, too. */
  readonly network?: NetworkView;
  /** For `serve`: leave out what happens at each connection and publish, the status line and the keys. @default false */
  readonly isQuiet?: boolean;
  /** Where `.chanctl/dev.log` goes, and the arguments that it says this was begun with. @default no log */
  readonly log?: { readonly stateFolder: string; readonly args: readonly string[] };
}

/** Events of which a busy server has thousands a second. */
const FREQUENT_EVENTS = new Set(["connect", "disconnect", "publish"]);

/** Why a start takes its time: after it nobody wants to know. */
const WAITS = new Set(["app-left-over"]);

/** The reporter of `dev` and `serve`. */
export async function createReporter(options: ReporterOptions): Promise<Reporter> {
  const { isJson, isQuiet = false } = options;
  const { yellow } = palette(options.io.errorColor);
  const version = await readPackageVersion();
  const log = options.log && new DevLog({ ...options.log, version, network: options.network });
  for (const message of mistypedVariables(options.io.env)) {
    options.io.stderr(`${yellow("warning:")} ${message}\n`);
    log?.entry({ level: "warn", event: "mistyped-variable", message });
  }
  const terminal =
    options.io.canRedraw && !isJson && !isQuiet ? new LiveTerminal(options.io, options) : undefined;
  const io = terminal?.io ?? options.io;
  // `chanctl dev &`: the shell has the keys.
  const hasKeys = terminal !== undefined && io.isTerminal && (await isInForeground());
  const format = isJson
    ? jsonFormat(options, io)
    : textFormat(
        { ...options, banner: (server) => banner(server, { ...options, version, hasKeys }, io) },
        io,
      );
  const entry = (entry: LogEntry): void => {
    if (!isQuiet || !FREQUENT_EVENTS.has(entry.event)) format.entry(entry);
  };
  const notice = (text: string): void => io.stderr(`${text}\n`);
  return new Reporter({ ...format, entry, notice }, { terminal, log });
}

interface ReporterFormat extends ReportFormat {
  /** For the person who waits: no part of what is reported. */
  notice(text: string): void;
}

/**
 * Shows what a server does, in order, beginning with that it is ready: a program that reads the output
 * waits for that line, and a person for the banner. What happens before is shown after it.
 */
export class Reporter {
  readonly #format: ReporterFormat;
  readonly #terminal: LiveTerminal | undefined;
  readonly #log: DevLog | undefined;
  #waiting: (() => void)[] | undefined = [];

  constructor(
    format: ReporterFormat,
    { terminal, log }: { readonly terminal: LiveTerminal | undefined; readonly log: DevLog | undefined },
  ) {
    this.#format = format;
    this.#terminal = terminal;
    this.#log = log;
  }

  /** The server is about to start. */
  starting(): void {
    this.#terminal?.starting();
  }

  /** The server is up. A terminal shows from now on how it is, and reads keys. */
  ready(server: RunningServer, controls: ServerControls): void {
    this.#log?.ready(server);
    this.#log?.open(this.entry);
    this.#format.ready(server);
    this.#terminal?.open(server, controls);
    this.flush();
  }

  /** Something happened: the server's logger. */
  readonly entry = (entry: LogEntry): void => {
    this.#log?.entry(entry);
    if (this.#waiting !== undefined && WAITS.has(entry.event)) return this.#format.notice(entry.message);
    this.#show(() => {
      this.#format.entry(entry);
      this.#terminal?.note(entry);
    });
  };

  /** The app wrote a line. */
  readonly appOutput = (line: OutputLine): void => {
    this.#log?.appOutput(line);
    this.#show(() => this.#format.appOutput(line));
  };

  /** The end begins, and it may take a while. */
  stopping(cause: EndCause): void {
    this.#log?.stopping(cause);
    this.#terminal?.stopping();
    this.#format.notice("stopping; once more to stop at once");
  }

  /** Shows what has waited; also when the server could not start, for it may say why. */
  flush(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const show of waiting) show();
  }

  /** Leaves the terminal as it was; what happens after it is still shown. Waits until the log is written. */
  async close(): Promise<void> {
    this.flush();
    this.#terminal?.close();
    await this.#log?.close();
  }

  #show(show: () => void): void {
    if (this.#waiting === undefined) show();
    else this.#waiting.push(show);
  }
}
