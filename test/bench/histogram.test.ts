import { expect, test } from "vitest";
import { Histogram, sumOf } from "../../bench/load/histogram.ts";

test("a percentile is within 3 % of the true one", () => {
  const histogram = new Histogram();
  for (let valueUs = 1; valueUs <= 100_000; valueUs += 1) histogram.record(valueUs);
  for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
    const ratio = histogram.percentileMs(share) / (100 * share);
    expect(ratio).toBeGreaterThan(0.97);
    expect(ratio).toBeLessThan(1.03);
  }
});

test("the histograms of several processes add up", () => {
  const [fast, slow] = [new Histogram(), new Histogram()];
  for (let index = 0; index < 90; index += 1) fast.record(10);
  for (let index = 0; index < 10; index += 1) slow.record(50);
  const sum = sumOf([fast.toCounts(), slow.toCounts()]);
  expect(sum.size).toBe(100);
  expect(sum.percentileMs(0.9)).toBe(0.01);
  expect(sum.percentileMs(0.91)).toBe(0.05);
});

test("a value beyond the last bucket is counted in it", () => {
  const histogram = new Histogram();
  histogram.record(Number.MAX_SAFE_INTEGER);
  expect(histogram.size).toBe(1);
});

test("nothing has no percentile", () => {
  expect(new Histogram().percentileMs(0.5)).toBeNaN();
});
