import { formatDuration } from "../shared/duration.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { LogEntry } from "../shared/logger.ts";
import type { PortTaker } from "./free-port-wait.ts";
import { describePortTaken } from "./port-taken.ts";

/** What is told of the app. Whoever tells it adds the run's `pid` and `port`. */
export type AppLogEntry = Required<LogEntry>;

/** Another program listens on its port, and it is not started before that has ended. */
export function appPortTaken(port: number, taker: PortTaker | undefined): AppLogEntry {
  const { message, hint } = describePortTaken(port, taker);
  return { level: "error", event: "app-port-taken", message, fields: { hint } };
}

/** It listens, this long after its start. */
export function appReady(afterMs: number): AppLogEntry {
  const message = `the app is ready after ${formatDuration(afterMs)}`;
  return { level: "info", event: "app-ready", message, fields: { afterMs } };
}

/** It listens on another port than it was told to. */
export function appPort({
  toldPort,
  otherPort,
}: {
  readonly toldPort: number;
  readonly otherPort: number;
}): AppLogEntry {
  const message = `the app listens on ${otherPort}, not on the port in \`PORT\`, ${toldPort}: requests go to ${otherPort}`;
  return { level: "warn", event: "app-port", message, fields: { otherPort } };
}

/** It has not listened for long, or says that it listens on another port than it was told to. */
export function appNotListening(
  { port, lastLines }: { readonly port: number; readonly lastLines: readonly string[] },
  { otherPort, afterMs }: { readonly otherPort: number | undefined; readonly afterMs: number },
): AppLogEntry {
  const expected = `the app must listen on the port in \`PORT\`, ${port}`;
  const message =
    otherPort === undefined
      ? `${expected}; it has not for ${formatDuration(afterMs)}`
      : `${expected}; it says that it listens on ${otherPort}: try --app-port ${otherPort}`;
  const hint = "listen on `process.env.PORT`     or say where it listens: --app-port 3000";
  const fields = otherPort === undefined ? { lastLines, hint } : { otherPort };
  return { level: "warn", event: "app-not-listening", message, fields };
}

/** It has exited by itself, and is started again. */
export function appExit(
  reason: string,
  { restartAfterMs, lastLines }: { readonly restartAfterMs: number; readonly lastLines: readonly string[] },
): AppLogEntry {
  const message = `the app ${reason}; starting it again in ${formatDuration(restartAfterMs)}`;
  return { level: "error", event: "app-exit", message, fields: { restartAfterMs, lastLines } };
}

/** It will not start, and is tried again only now and then. */
export function appGivenUp(
  { message, fields, hint }: ChanctlError,
  { retryAfterMs }: { readonly retryAfterMs: number },
): AppLogEntry {
  return {
    level: "error",
    event: "app-given-up",
    message: `${message}; it is tried again in ${formatDuration(retryAfterMs)}`,
    fields: { ...fields, hint },
  };
}

/** A successor has taken over, this long after its start. */
export function appReplaced(afterMs: number): AppLogEntry {
  const message = `the app is replaced after ${formatDuration(afterMs)}: what was saved is live`;
  return { level: "info", event: "app-replaced", message, fields: { afterMs } };
}

/** A successor has said in `line` that it needs what the app that runs has. */
export function appNotTwice(line: string): AppLogEntry {
  const message = `two of the app cannot run at once (${line.trim()}); it is stopped before it starts again`;
  return { level: "warn", event: "app-not-twice", message, fields: {} };
}

/** A successor did not come up. */
export function appNotReplaced(reason: string, lastLines: readonly string[]): AppLogEntry {
  const message = `the app stays as it was before the save, for the new one ${reason}`;
  return { level: "error", event: "app-not-replaced", message, fields: { lastLines } };
}

/** It was replaced, and has requests under way. */
export function appLeaves(): AppLogEntry {
  const message = "the old app ends once the requests under way at it have";
  return { level: "info", event: "app-leaves", message, fields: {} };
}

/** It was replaced, and its requests took too long. */
export function appCutOff(afterMs: number): AppLogEntry {
  const message = `the old app ends; requests under way at it for ${formatDuration(Math.round(afterMs))} are cut off`;
  return { level: "warn", event: "app-cut-off", message, fields: {} };
}
