import { fixLines } from "../fix-lines.ts";
import type { Palette } from "../palette.ts";
import { escapeControls, wrapLines } from "../terminal-text.ts";
import type { Status } from "./check.ts";
import type { Finding } from "./run-checks.ts";

const STATUS_COLUMNS = 4;
const MIN_TEXT_COLUMNS = 24;

const FIX = "fix: ";

interface LayoutOptions {
  /** The terminal's width; infinite in a pipe, where each text is one line. */
  readonly columns: number;
  readonly palette: Palette;
}

/**
 * The report for a person: groups, one row a finding, its text wrapped within its column, the fix below it.
 *
 * ```
 *   store
 *     ok    integrity    no damage found
 *     warn  disk         142 MB free
 *                        fix: make room on the disk of ~/shop
 * ```
 */
export function reportLines(
  findings: readonly Finding[],
  { columns, palette }: LayoutOptions,
): readonly string[] {
  const { dim, green, yellow, red } = palette;
  const paint: Readonly<Record<Status, (text: string) => string>> = { ok: green, warn: yellow, fail: red };
  const nameColumns = Math.max(...findings.map(({ check }) => check.length));
  const indent = 2 + STATUS_COLUMNS + 2 + nameColumns + 2;
  const textColumns = Math.max(MIN_TEXT_COLUMNS, columns - indent);
  const margin = " ".repeat(indent);
  const lines: string[] = [];
  let group: string | undefined;
  for (const finding of findings) {
    if (finding.group !== group) lines.push("", dim(finding.group));
    group = finding.group;
    const status = paint[finding.status](finding.status.padEnd(STATUS_COLUMNS));
    const message = finding.message.split("\n").map(escapeControls).join("\n");
    const [first = "", ...rest] = wrapLines(message, textColumns);
    lines.push(`  ${status}  ${finding.check.padEnd(nameColumns)}  ${first}`);
    lines.push(...rest.map((text) => (margin + text).trimEnd()));
    const fixes = finding.fix === undefined ? [] : fixLines(finding.fix, textColumns - FIX.length);
    lines.push(
      ...fixes.map((text, index) => margin + (index === 0 ? dim(FIX) : " ".repeat(FIX.length)) + text),
    );
  }
  return lines;
}
