import { expect, it } from "vitest";
import { UnsentBudget } from "#src/broker/unsent-budget.ts";

/** A budget of 100 each and 200 together, and subscribers with so many unsent bytes. */
function budgetWith(...unsent: number[]) {
  const time = { now: 0 };
  const hits = new Set<string>();
  const budget = new UnsentBudget(
    { maxUnsentBytes: 100, maxUnsentBytesTotal: 200 },
    { now: () => time.now, onHit: (limit) => void hits.add(limit) },
  );
  const shares = unsent.map((_, index) => budget.share(() => unsent[index] ?? 0));
  return { unsent, shares, hits, pass: (milliseconds: number) => (time.now += milliseconds) };
}

it("lets each have its own maximum while all together are within theirs", () => {
  const { shares, unsent } = budgetWith(100, 100);
  expect(shares.map((share) => share.isOver())).toEqual([false, false]);
  unsent[0] = 101;
  expect(shares.map((share) => share.isOver())).toEqual([true, false]);
});

it("holds each to an equal part while all together are over", () => {
  const { shares } = budgetWith(90, 90, 50, 0);
  expect(shares.map((share) => share.isOver())).toEqual([true, true, false, false]);
});

it("gives room back when sockets drain, without a word of theirs, and when subscribers leave", () => {
  const { shares, unsent, pass } = budgetWith(90, 90, 90);
  expect(shares[2]?.isOver()).toBe(true);
  unsent[0] = 0;
  pass(1_000);
  expect(shares[2]?.isOver()).toBe(false);
  unsent[0] = 90;
  pass(1_000);
  expect(shares[2]?.isOver()).toBe(true);
  shares[1]?.[Symbol.dispose]();
  pass(1_000);
  expect(shares[2]?.isOver()).toBe(false);
});
