import type { Io } from "./io.ts";
import { exitCodeOf, onEndSignal } from "./signals.ts";

/**
 * Runs what lasts until a signal, or until nobody reads standard output any more (`| head`). Ending so is no error;
 * a signal sets its exit code.
 */
export async function untilEnded(io: Io, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const removeListener = onEndSignal((signal) => {
    io.setExitCode(exitCodeOf(signal));
    ending.abort();
  });
  io.outputClosed.addEventListener("abort", () => ending.abort(), { once: true });
  try {
    await run(ending.signal);
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    removeListener();
  }
}
