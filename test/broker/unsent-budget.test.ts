import { expect, it } from "vitest";
import { UnsentBudget } from "#src/broker/unsent-budget.ts";

const LIMITS = { maxUnsentBytes: 100, maxUnsentBytesTotal: 200 };

it("lets each have its own maximum while all together are within theirs", () => {
  const budget = new UnsentBudget(LIMITS);
  const [one, other] = [budget.share(), budget.share()];
  expect([one.isOver(100), other.isOver(100), other.isOver(101)]).toEqual([false, false, true]);
});

it("holds each to an equal part while all together are over", () => {
  const budget = new UnsentBudget(LIMITS);
  const shares = Array.from({ length: 4 }, () => budget.share());
  expect(shares.slice(0, 3).map((share) => share.isOver(70))).toEqual([false, false, true]);
  expect(shares[3]?.isOver(50)).toBe(false);
  expect(shares[3]?.isOver(51)).toBe(true);
});

it("gives room back when sockets drain and when subscribers leave", () => {
  const budget = new UnsentBudget(LIMITS);
  const [one, two, three] = [budget.share(), budget.share(), budget.share()];
  for (const share of [one, two, three]) share.isOver(90);
  expect(three.isOver(90)).toBe(true);
  one.isOver(0);
  expect(three.isOver(90)).toBe(false);
  one.isOver(90);
  expect(three.isOver(90)).toBe(true);
  two.release();
  expect(three.isOver(90)).toBe(false);
});
