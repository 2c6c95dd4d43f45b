import { once } from "node:events";

import type { ServerOptions } from "../../server/options.ts";
import { startServer } from "../../server/start-server.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { Io } from "../io.ts";
import { exitCodeOf, onEndSignal } from "../signals.ts";
import type { EndCause } from "./end-cause.ts";
import type { Reporter } from "./reporter.ts";

/** npm sends a Ctrl-C on to its child, which the terminal has told already. @see https://github.com/npm/run-script/blob/main/lib/signal-manager.js */
const SAME_SIGNAL_MS = 250;

const START_GRACE_MS = 1_000;

/** Once all is closed the process ends by itself, unless a library holds something. */
const LINGER_MS = 2_000;

interface RunOptions {
  readonly io: Io;
  readonly reporter: Reporter;
  /** Called once the server is up; what it throws ends it. What it returns is closed before the server. */
  readonly onReady?: (server: RunningServer) => readonly AsyncDisposable[];
}

/**
 * Runs a server until a signal asks for its end, or nobody reads its output any more. The first signal lets
 * the app and the connections end well; the second ends them at once.
 *
 * @throws {ChanctlError} Why the server could not start.
 */
export async function runServer(
  options: ServerOptions,
  { io, reporter, onReady }: RunOptions,
): Promise<void> {
  io.outlastOutput(); // a disk that logs have filled is no reason to end
  const ending = new AbortController();
  let server: RunningServer | undefined;
  let companions: readonly AsyncDisposable[] = [];
  let firstAskedAt = Number.POSITIVE_INFINITY;
  let cause: EndCause = "output-closed";
  const end = (exitCode: number, by: EndCause): void => {
    if (performance.now() - firstAskedAt > SAME_SIGNAL_MS) {
      server?.kill();
      io.exitNow(exitCode);
    }
    if (!ending.signal.aborted) cause = by;
    firstAskedAt = Math.min(firstAskedAt, performance.now());
    // A start that hangs, in a definition say, is not waited for; an app that was started ends with us.
    if (server === undefined) setTimeout(() => server ?? io.exitNow(exitCode), START_GRACE_MS).unref();
    io.setExitCode(exitCode);
    ending.abort();
  };
  const removeListener = onEndSignal((signal) => end(exitCodeOf(signal), signal));
  io.outputClosed.addEventListener("abort", () => ending.abort(), { once: true });
  try {
    reporter.starting();
    server = await startServer(options);
    if (ending.signal.aborted) return;
    companions = onReady?.(server) ?? [];
    reporter.ready(server, { stateFolder: options.stateFolder, quit: () => end(0, "q") });
    await once(ending.signal, "abort");
    reporter.stopping(cause);
  } finally {
    reporter.flush();
    for (const companion of companions) await companion[Symbol.asyncDispose]();
    await server?.close();
    await reporter.close();
    removeListener();
    // Who has closed the terminal, or is a service manager, does not ask twice.
    setTimeout(() => io.exitNow(), LINGER_MS).unref();
  }
}
