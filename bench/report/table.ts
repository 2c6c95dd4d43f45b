import type { Column, Scenario } from "../scenarios/scenario.ts";
import type { Spread } from "./spread.ts";
import type { ScenarioSummary, TargetSummary } from "./summary.ts";

/** The table of one scenario, for a person: a line a target, its remarks below it. */
export function formatTable({ columns }: Scenario, summary: ScenarioSummary): string {
  const compared = columns.filter(({ isCompared }) => isCompared);
  const head = ["", ...columns.map(({ label }) => label), ...compared.map(({ label }) => `÷ ${label}`)];
  const rows = summary.targets.map((target) => [
    target.target,
    ...columns.map((column) => formatFigure(target.figures[column.key], column)),
    ...compared.map(({ key }) => formatSpread(target.ratios[key], 2)),
  ]);
  const widths = head.map((_, index) => Math.max(...[head, ...rows].map((row) => row[index]?.length ?? 0)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  "),
  );
  return [
    `${summary.name}: ${summary.setUp}`,
    "",
    ...lines,
    ...summary.targets.flatMap(formatRemarks),
    "",
  ].join("\n");
}

function formatFigure(spread: Spread | undefined, { decimals, isCompared }: Column): string {
  if (isCompared) return formatSpread(spread, decimals);
  return spread === undefined ? "–" : formatNumber(spread.median, decimals);
}

function formatSpread(spread: Spread | undefined, decimals: number): string {
  if (spread === undefined) return "–";
  const { median, min, max } = spread;
  const text = formatNumber(median, decimals);
  return min === max ? text : `${text} (${formatNumber(min, decimals)}…${formatNumber(max, decimals)})`;
}

function formatNumber(value: number, decimals: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function formatRemarks({ target, notes, problems }: TargetSummary): string[] {
  return [
    ...notes.map((note) => `  note: ${target}: ${note}`),
    ...problems.map((problem) => `  FAILED: ${target}: ${problem}`),
  ];
}
