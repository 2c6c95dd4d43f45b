const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses a duration such as `500ms`, `10m`, `1.5h` or `7d` to milliseconds.
 *
 * @returns Whole milliseconds, or `undefined` if the text is not a duration.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const unit = UNIT_MS[match?.[2] ?? ""];
  if (match?.[1] === undefined || unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Formats milliseconds for a person: `640 ms`, `12.3 s`, `5 min`, `2 h`, `3 d`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${Number((milliseconds / 1_000).toFixed(1))} s`;
  if (milliseconds < 3_600_000) return `${Number((milliseconds / 60_000).toFixed(1))} min`;
  if (milliseconds < 86_400_000) return `${Number((milliseconds / 3_600_000).toFixed(1))} h`;
  return `${Number((milliseconds / 86_400_000).toFixed(1))} d`;
}
