import type { Limits } from "./limits.ts";
import type { Logger } from "./logger.ts";

/** A limit that is no refusal where it is hit: somebody waits. */
export type WaitingLimit = keyof Pick<Limits, "maxAuthorizeCalls" | "maxUnsentBytes" | "maxUnsentBytesTotal">;

/** What then happens, for the log. */
const WAITING: Readonly<Record<WaitingLimit, string>> = {
  maxAuthorizeCalls: "questions to the app wait for others to be answered",
  maxUnsentBytes: "a subscriber that reads too slowly is sent back to the log",
  maxUnsentBytesTotal: "subscribers that read slowly are held to an equal part each",
};

/** Tells the log that such a limit is hit. */
export type LimitLog = (limit: WaitingLimit) => void;

const INTERVAL_MS = 10_000;

/** Tells of each limit at once, and then no more than every ten seconds: they are hit at every write while they are (CWE-779). */
export function createLimitLog(logger: Logger, now: () => number = () => performance.now()): LimitLog {
  const toldAt = new Map<WaitingLimit, number>();
  return (limit) => {
    const at = now();
    if (at - (toldAt.get(limit) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
    toldAt.set(limit, at);
    const message = `limits.${limit} is hit: ${WAITING[limit]}`;
    logger({ level: "warn", event: "limit-hit", message, fields: { limit } });
  };
}
