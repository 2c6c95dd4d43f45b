import { join } from "node:path";
import { messageOf } from "#src/shared/errors.ts";
import type { Run, Scenario, Size } from "./scenarios/scenario.ts";
import { runOnce } from "./session.ts";

/** All rounds of one scenario on one target. */
export interface TargetRuns {
  readonly target: string;
  readonly runs: readonly Run[];
}

export interface RoundsOptions {
  readonly scenarios: readonly Scenario[];
  /** Targets that can run; others are left out. */
  readonly isAvailable: (target: string) => boolean;
  readonly rounds: number;
  readonly size: Size;
  /** A folder that runs may make folders in, absolute. */
  readonly folder: string;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs every scenario on every target, round by round, the targets of a scenario one right after the other: what
 * a noisy machine does to one it does to its neighbours, and their ratio within a round holds.
 *
 * Each round begins with another target, so that none always runs on what the one before it has left behind.
 */
export async function runRounds(options: RoundsOptions): Promise<Map<Scenario, TargetRuns[]>> {
  const { scenarios, isAvailable, rounds, size, folder, onProgress, signal } = options;
  const results = new Map<Scenario, Map<string, Run[]>>();
  for (let round = 0; round < rounds; round += 1) {
    for (const scenario of scenarios) {
      const targets = scenario.targets.filter(isAvailable);
      const first = round % targets.length;
      for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
        signal.throwIfAborted();
        onProgress(`round ${round + 1}/${rounds}  ${scenario.name}  ${target}`);
        const session = { target, size, folder: join(folder, "run"), signal };
        const run = await runOnce(scenario, session).catch(toFailedRun);
        const byTarget = results.get(scenario) ?? new Map<string, Run[]>();
        results.set(scenario, byTarget.set(target, [...(byTarget.get(target) ?? []), run]));
      }
    }
  }
  return new Map([...results].map(([scenario, byTarget]) => [scenario, inOrder(scenario, byTarget)]));
}

/** A run that broke is reported like one that lost messages; the others go on. */
function toFailedRun(thrown: unknown): Run {
  return { figures: {}, notes: [], problems: [messageOf(thrown)] };
}

function inOrder({ targets }: Scenario, byTarget: ReadonlyMap<string, readonly Run[]>): TargetRuns[] {
  return targets.flatMap((target) => {
    const runs = byTarget.get(target);
    return runs === undefined ? [] : [{ target, runs }];
  });
}
