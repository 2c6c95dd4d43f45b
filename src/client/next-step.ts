import { backoffMs } from "./backoff.ts";
import type { ChannelError } from "./channel-error.ts";
import type { Ending } from "./ending.ts";

/** What comes after a link has ended. */
export type NextStep =
  /** Nothing. */
  | { readonly kind: "stop"; readonly error: ChannelError }
  /** The next, at once, with another token. */
  | { readonly kind: "renew" }
  /** The next, at once, by events; `isForGood`: and all after it. */
  | { readonly kind: "fall-back"; readonly isForGood: boolean }
  /** The next, after a pause. */
  | { readonly kind: "pause"; readonly pauseMs: number };

interface Situation {
  /** How many pauses there were since the last connection. */
  readonly failures: number;
  /** Whether another token may be asked for: once, then it is over. */
  readonly mayRenew: boolean;
  readonly mayFallBack: boolean;
}

/** Decides what comes after a link. What the server asked for comes first; from the second time on with backoff. */
export function toNextStep(
  ending: Ending & { readonly afterMs?: number | undefined; readonly error?: ChannelError },
  { failures, mayRenew, mayFallBack }: Situation,
): NextStep {
  const backoff = backoffMs(failures);
  const { kind, error, afterMs = backoff } = ending;
  if (kind === "unsuited" && mayFallBack) return { kind: "fall-back", isForGood: error !== undefined };
  if (error) return mayRenew && error.status === 401 ? { kind: "renew" } : { kind: "stop", error };
  return { kind: "pause", pauseMs: Math.max(afterMs, failures && backoff) };
}
