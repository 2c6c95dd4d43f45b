import { expect, test } from "vitest";
import { summarize } from "../../bench/report/summary.ts";
import type { TargetRuns } from "../../bench/rounds.ts";
import type { Run, Scenario, Size } from "../../bench/scenarios/scenario.ts";

const size: Size = { warmupMs: 1, durationMs: 1, subscribers: 1 };
const scenario: Scenario = {
  name: "append",
  describe: () => "one append",
  targets: ["chanctl", "peer"],
  columns: [{ key: "perSec", label: "appends/s", decimals: 0, isCompared: true }],
  run: () => Promise.reject(new Error("not run")),
};

function runsOf(target: string, figures: readonly number[]): TargetRuns {
  return { target, runs: figures.map(toRun) };
}

function toRun(perSec: number): Run {
  return { figures: { perSec }, notes: [], problems: [] };
}

test("a ratio is taken within each round, so that a slow minute of the machine cancels out", () => {
  const results = [runsOf("chanctl", [100, 10, 50]), runsOf("peer", [50, 5, 50])];
  const [own, peer] = summarize(scenario, { results, size }).targets;
  expect(own?.figures["perSec"]).toEqual({ median: 50, min: 10, max: 100 });
  expect(own?.ratios).toEqual({});
  expect(peer?.ratios["perSec"]).toEqual({ median: 2, min: 1, max: 2 });
});

test("a run with a problem counts for nothing but its problem", () => {
  const lost: Run = { ...toRun(1_000_000), problems: ["expected message 7 of lane 0, got 8"] };
  const results = [{ target: "chanctl", runs: [toRun(10), lost] }, runsOf("peer", [5, 5])];
  const [own, peer] = summarize(scenario, { results, size }).targets;
  expect(own?.figures["perSec"]).toEqual({ median: 10, min: 10, max: 10 });
  expect(own?.problems).toEqual(["expected message 7 of lane 0, got 8"]);
  expect(peer?.ratios["perSec"]).toEqual({ median: 2, min: 2, max: 2 });
});
