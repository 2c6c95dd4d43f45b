import { constants } from "node:os";

/** The signals that ask a lasting command to end: Ctrl-C, a supervisor, a closed terminal. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A signal that asks for the end. */
export type EndSignal = (typeof SIGNALS)[number];

/**
 * Calls the listener for each signal that asks the process to end, which then does not end by itself.
 *
 * @returns Stops listening.
 */
export function onEndSignal(listener: (signal: EndSignal) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** The exit code of a process that a signal ended, as shells count it: 130 for SIGINT, 143 for SIGTERM. */
export function exitCodeOf(signal: EndSignal): number {
  return 128 + constants.signals[signal];
}
