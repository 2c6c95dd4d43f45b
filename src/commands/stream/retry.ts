import { setTimeout as delay } from "node:timers/promises";

import { ChanctlError, errorCodeOf } from "../../shared/errors.ts";

interface RetryOptions {
  /** How long one attempt after the other may fail, in ms. */
  readonly retryForMs: number;
  /** Called once in each outage. */
  readonly onOutage: (error: ChanctlError) => void;
  readonly signal: AbortSignal;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/**
 * Makes a function that repeats an attempt while what fails it may pass: a broken connection, a server that restarts
 * or is busy. A server that has never answered is not waited for: its address may be wrong.
 */
export function createRetry({
  retryForMs,
  onOutage,
  signal,
}: RetryOptions): <T>(attempt: () => Promise<T>) => Promise<T> {
  let isKnown = false;
  return async (attempt) => {
    let giveUpAt: number | undefined;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      try {
        const result = await attempt();
        isKnown = true;
        return result;
      } catch (error) {
        if (signal.aborted || !(error instanceof ChanctlError) || !mayPass(error, isKnown)) throw error;
        const waitMs = Math.max(delayMs * (0.5 + Math.random() / 2), (error.retryAfterSecs ?? 0) * 1_000);
        if (giveUpAt === undefined) onOutage(error);
        giveUpAt ??= performance.now() + retryForMs;
        if (performance.now() + waitMs > giveUpAt) throw error;
        await delay(waitMs, undefined, { signal });
      }
    }
  };
}

function mayPass(error: ChanctlError, isKnown: boolean): boolean {
  if (error.code !== "cannot_connect") return PASSING_STATUSES.has(error.status);
  return isKnown || errorCodeOf(error.cause) === "ECONNRESET";
}
