const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** An app that ran this long was well: what comes after is a new story. */
const STABLE_MS = 10_000;
const FAILED_STARTS_ALLOWED = 5;

/** Exits since the app last ran for a while. */
export interface CrashCount {
  /** All of them: they make the delay grow. */
  readonly exits: number;
  /** Those, in a row, before the app ever listened: they make us give up. */
  readonly failedStarts: number;
}

export const NO_CRASHES: CrashCount = { exits: 0, failedStarts: 0 };

export type RestartDecision =
  | { readonly kind: "restart"; readonly afterMs: number; readonly crashes: CrashCount }
  | { readonly kind: "give-up"; readonly crashes: CrashCount };

/**
 * What to do about an app that exited: start it again, the later the more often it has happened, so that
 * there is never a storm. An app that cannot even start is given up; one that listened first never is,
 * because a bug that a request sets off must not end the app for everybody. A command that is not there is given up
 * at once.
 */
export function decideRestart(
  crashes: CrashCount,
  run: { readonly ranMs: number; readonly wasReady: boolean; readonly isMissing?: boolean },
): RestartDecision {
  const before = run.ranMs >= STABLE_MS ? NO_CRASHES : crashes;
  const next = { exits: before.exits + 1, failedStarts: run.wasReady ? 0 : before.failedStarts + 1 };
  if (run.isMissing || next.failedStarts >= FAILED_STARTS_ALLOWED) return { kind: "give-up", crashes: next };
  const afterMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (next.exits - 1));
  return { kind: "restart", afterMs, crashes: next };
}
