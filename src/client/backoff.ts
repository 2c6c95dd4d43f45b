const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** How long to wait after so many failures in a row: doubles, and is spread, so that not all come back at once. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}
