import { expect, test } from "vitest";
import { decideRestart, NO_CRASHES } from "#src/app/restart-policy.ts";

/** What is decided about each of a row of equal runs. */
function decideAll(run: { ranMs: number; wasReady: boolean }, times: number): (number | "give-up")[] {
  let crashes = NO_CRASHES;
  return Array.from({ length: times }, () => {
    const decision = decideRestart(crashes, run);
    crashes = decision.crashes;
    return decision.kind === "restart" ? decision.afterMs : "give-up";
  });
}

test("waits twice as long before each restart", () => {
  expect(decideAll({ ranMs: 100, wasReady: true }, 8)).toEqual([
    250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ]);
});

test("gives up after five starts in a row that never listened", () => {
  expect(decideAll({ ranMs: 100, wasReady: false }, 5)).toEqual([250, 500, 1_000, 2_000, "give-up"]);
});

test("never gives up an app that listened first", () => {
  expect(decideAll({ ranMs: 100, wasReady: true }, 100)).not.toContain("give-up");
});

test("begins anew after a run of ten seconds", () => {
  const { crashes } = decideRestart({ exits: 9, failedStarts: 4 }, { ranMs: 10_000, wasReady: false });
  expect(crashes).toEqual({ exits: 1, failedStarts: 1 });
});
