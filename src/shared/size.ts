const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/**
 * Parses a size such as `512B`, `64KiB`, `1.5MiB` or `1MB` to bytes.
 *
 * @returns Whole bytes, or `undefined` if the text is not a size.
 */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text.trim());
  const unit = UNIT_BYTES[match?.[2] ?? ""];
  if (match?.[1] === undefined || unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Formats bytes for a person: `512 B`, `8.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  for (const unit of ["kB", "MB", "GB"] as const) {
    const value = bytes / (UNIT_BYTES[unit] ?? 1);
    if (value < 1_000) return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${unit}`;
  }
  return `${Math.round(bytes / 1_000_000_000)} GB`;
}
