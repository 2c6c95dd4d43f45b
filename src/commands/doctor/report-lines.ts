import { escapeControls } from "../terminal-text.ts";
import type { Palette } from "../palette.ts";
import type { Status } from "./check.ts";
import type { Finding } from "./run-checks.ts";

const STATUS_COLUMNS = 4;
const MIN_TEXT_COLUMNS = 24;

interface LayoutOptions {
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
    const [first = "", ...rest] = wrap(finding.message, textColumns);
    lines.push(`  ${status}  ${finding.check.padEnd(nameColumns)}  ${first}`);
    lines.push(...rest.map((text) => (margin + text).trimEnd()));
    // A fix is copied: it is never wrapped, and its lines stand below one another.
    const fixes = finding.fix?.split("\n") ?? [];
    lines.push(...fixes.map((text, index) => margin + (index === 0 ? dim("fix: ") : "     ") + text));
  }
  return lines;
}

/** Breaks at spaces; lines of a code frame stay as they are. */
function wrap(text: string, columns: number): readonly string[] {
  const paragraphs = text.split("\n").map(escapeControls);
  if (paragraphs.length > 1) return paragraphs;
  const lines: string[] = [];
  let line = "";
  for (const word of (paragraphs[0] ?? "").split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
