import type { TargetRuns } from "../rounds.ts";
import type { Run, Scenario, Size } from "../scenarios/scenario.ts";
import { spreadOf } from "./spread.ts";
import type { Spread } from "./spread.ts";

/** What one target came to in one scenario. */
export interface TargetSummary {
  readonly target: string;
  /** By column; a figure that no valid run has is absent. */
  readonly figures: Readonly<Record<string, Spread>>;
  /** chanctl's figure by this target's in the same round, of the compared columns; absent for chanctl itself. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly notes: readonly string[];
  readonly problems: readonly string[];
  /** Every round as it was measured. */
  readonly runs: readonly Run[];
}

export interface ScenarioSummary {
  readonly name: string;
  readonly setUp: string;
  readonly targets: readonly TargetSummary[];
}

/** Brings the rounds of a scenario together. A run with a problem counts for nothing but its problem. */
export function summarize(
  scenario: Scenario,
  { results, size }: { readonly results: readonly TargetRuns[]; readonly size: Size },
): ScenarioSummary {
  const own = results.find(({ target }) => target === scenario.targets[0]);
  return {
    name: scenario.name,
    setUp: scenario.describe(size),
    targets: results.map((each) => ({
      target: each.target,
      figures: spreadsOf(scenario, (key) => figuresOf(each, key)),
      ratios: each === own || own === undefined ? {} : ratiosOf(scenario, { own, peer: each }),
      notes: unique(each.runs.flatMap(({ notes }) => notes)),
      problems: unique(each.runs.flatMap(({ problems }) => problems)),
      runs: each.runs,
    })),
  };
}

function ratiosOf(
  scenario: Scenario,
  { own, peer }: { own: TargetRuns; peer: TargetRuns },
): TargetSummary["ratios"] {
  return spreadsOf(scenario, (key, isCompared) => {
    if (!isCompared) return [];
    const peers = figuresOf(peer, key);
    return figuresOf(own, key).map((figure, round) => figure / (peers[round] ?? Number.NaN));
  });
}

function spreadsOf(
  { columns }: Scenario,
  valuesOf: (key: string, isCompared: boolean) => readonly number[],
): Record<string, Spread> {
  const spreads = columns.map(
    ({ key, isCompared = false }) => [key, spreadOf(valuesOf(key, isCompared))] as const,
  );
  return Object.fromEntries(
    spreads.flatMap(([key, spread]) => (spread === undefined ? [] : [[key, spread] as const])),
  );
}

/** A figure of every round, in order; `NaN` where the run does not count. */
function figuresOf({ runs }: TargetRuns, key: string): number[] {
  return runs.map(({ figures, problems }) =>
    problems.length > 0 ? Number.NaN : (figures[key] ?? Number.NaN),
  );
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
