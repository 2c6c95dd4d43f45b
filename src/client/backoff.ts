import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from "./limits.ts";

/** How long to wait after so many failures in a row: doubles, and is spread, so that not all come back at once. */
export function backoffMs(failures: number): number {
  return spreadMs(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) / 2);
}

/** A time between this and twice this. */
export function spreadMs(ms: number): number {
  return ms * (1 + Math.random());
}
