import { relative } from "node:path";

import { isInForeground } from "../../platform/foreground.ts";
import { noBrowserText, openBrowser } from "../../platform/open-browser.ts";
import type { AppOptions } from "../../server/options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { LogEntry } from "../../shared/logger.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { AppWatch } from "./app-status.ts";
import { addressRows } from "./banner.ts";
import { eventLine } from "./event-line.ts";
import { infoText, readStoreBytes } from "./info-text.ts";
import { Keyboard } from "./keyboard.ts";
import { keyOf, keysText } from "./keys.ts";
import { devLogPath } from "./log-start.ts";
import type { NetworkView } from "./network-view.ts";
import { Screen } from "./screen.ts";
import { statusText } from "./status-text.ts";
import { SubscriberCounts } from "./subscriber-counts.ts";

const TICK_MS = 1_000;

/** What a terminal can do with the server, and look up. */
export interface ServerControls {
  /** `.chanctl`, absolute. */
  readonly stateFolder: string;
  /** Ends the server well; the second time at once. */
  readonly quit: () => void;
}

interface LiveTerminalOptions {
  readonly app: AppOptions | undefined;
  /** Another name that the server's certificate is for: `shop.localhost`. */
  readonly projectHost?: string | undefined;
  /** What is shown of the network where others come in, too. */
  readonly network?: NetworkView;
}

/**
 * A terminal with a person before it: a status line below what scrolls, and single keys where standard input is the
 * same terminal.
 */
export class LiveTerminal {
  /** Prints above the status line. */
  readonly io: Io;
  readonly #terminal: Io;
  readonly #screen: Screen;
  readonly #subscribers = new SubscriberCounts();
  readonly #options: LiveTerminalOptions;
  readonly #startedAt = performance.now();
  #server: RunningServer | undefined;
  #isClosed = false;
  #watch: AppWatch | undefined;
  #keyboard: Keyboard | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #stopResizing: (() => void) | undefined;

  constructor(terminal: Io, options: LiveTerminalOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#screen = new Screen({ write: (text) => terminal.stdout(text), status: () => this.#status() });
    this.io = Object.create(terminal, {
      stdout: { value: this.#screen.print },
      stderr: { value: (text: string) => this.#screen.around(() => terminal.stderr(text)) },
    });
  }

  /** The server is about to start. It takes less than a second, or a status line tells that it does not. */
  starting(): void {
    this.#ticker = setInterval(() => {
      void isInForeground().then((isOurs) => {
        if (isOurs && this.#server === undefined && !this.#isClosed) this.#screen.show();
      });
      this.#screen.refresh();
    }, TICK_MS).unref();
  }

  /** The server is up: from now on its state is shown, and keys are read. */
  open(server: RunningServer, controls: ServerControls): void {
    this.#server = server;
    const onChange = (): void => this.#refresh();
    this.#watch = new AppWatch(server, { configured: this.#options.app, onChange });
    this.#stopResizing = this.#terminal.onResize(this.#screen.refresh);
    this.#keyboard = new Keyboard(this.#terminal.keyboard, {
      onKey: (key) => this.#press(key, server, controls),
      onForeground: (isOurs) => (isOurs ? this.#screen.show() : this.#screen.hide()),
    });
    this.#refresh();
  }

  /** Takes what the status line tells from the log. */
  note(entry: LogEntry): void {
    this.#watch?.note(entry);
    if (this.#subscribers.note(entry) || entry.event === "reload" || entry.event === "definition-error")
      this.#screen.refresh();
  }

  /** The server ends: the status line says so, and `q` still works. */
  stopping(): void {
    this.#watch?.end();
  }

  /** Leaves the terminal as it was, with nothing below the last line. */
  close(): void {
    this.#isClosed = true;
    this.#stopResizing?.();
    clearInterval(this.#ticker);
    this.#keyboard?.close();
    this.#screen.hide();
  }

  #refresh(): void {
    this.#screen.refresh();
    clearInterval(this.#ticker);
    if (this.#watch?.isTicking) this.#ticker = setInterval(this.#screen.refresh, TICK_MS).unref();
  }

  #status(): string {
    const { color, columns } = this.#terminal;
    const entries = this.#server?.registry.entries() ?? [];
    const status = {
      app: this.#watch?.status ?? { kind: "opening", since: this.#startedAt },
      channels: entries.length,
      broken: entries.filter(({ error }) => error !== undefined).length,
      subscribers: this.#subscribers.total,
      hasKeys: this.#keyboard?.isReading === true,
    } as const;
    return statusText(status, { columns, paint: palette(color), now: performance.now() });
  }

  #press(key: string, server: RunningServer, { stateFolder, quit }: ServerControls): void {
    const { color, rows } = this.#terminal;
    const { print } = this.#screen;
    switch (keyOf(key)) {
      case "help":
        return print(keysText(server.url, palette(color)));
      case "open":
        return openBrowser(server.url, {
          platform: process.platform,
          onFailed: () => print(`${noBrowserText(server.url)}\n`),
        });
      case "info":
        return void this.#showInfo(server, { stateFolder });
      case "restart":
        return this.#restart(server);
      case "clear":
        return this.#screen.clear(rows);
      case "quit":
        return quit();
      case "blank line":
        return print("\n");
      case undefined:
        return;
      default:
    }
  }

  async #showInfo(server: RunningServer, { stateFolder }: { readonly stateFolder: string }): Promise<void> {
    const { color, columns, cwd } = this.#terminal;
    const storeBytes = await readStoreBytes(stateFolder);
    const text = infoText({
      addresses: addressRows(server, this.#options, this.#terminal),
      phone: this.#options.network?.phone(server.url) ?? "",
      channels: server.registry.entries().map(({ name, definition, error }) => ({
        name,
        transport: definition?.transport,
        isBroken: error !== undefined,
      })),
      streamsOf: (channel, limit) => server.channelStreams({ channel, limit }),
      livePaths: this.#subscribers.paths,
      subscribersOf: (path) => this.#subscribers.of(path),
      storeBytes,
      logPath: relative(cwd, devLogPath(stateFolder)),
      paint: palette(color),
      columns,
    });
    this.#screen.print(text);
  }

  #restart(server: RunningServer): void {
    server.registry.retry();
    if (server.app !== undefined) {
      this.#tell("restarting the app, as you asked");
      server.app.restart();
    } else if (this.#options.app === undefined) this.#tell("there is no app to restart");
    else this.#tell("the app runs elsewhere: it is not chanctl's to restart");
  }

  /** A line of the app's, as those of its log are. */
  #tell(message: string): void {
    const { color, columns } = this.#terminal;
    const options = { columns, paint: palette(color), time: new Date() };
    this.#screen.print(`${eventLine({ level: "info", event: "app", message }, options)}\n`);
  }
}
