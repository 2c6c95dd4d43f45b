import { describe, expect, it } from "vitest";
import { clampSetting, LIFECYCLE, LIFECYCLE_KEYS, resolveLifecycle } from "#src/shared/lifecycle.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("resolveLifecycle", () => {
  it("fills the defaults of page 2", () => {
    expect(resolveLifecycle({})).toEqual({
      replayWindowMs: DAY,
      inactivityTtlMs: 0,
      keepaliveIntervalMs: 25 * SECOND,
      maxConnectionLifetimeMs: 2 * HOUR,
      maxMessages: 0,
      maxBytes: 0,
    });
  });

  it.each([
    ["replayWindowMs", 0, 365 * DAY],
    ["inactivityTtlMs", SECOND, 365 * DAY],
    ["keepaliveIntervalMs", SECOND, 5 * 60 * SECOND],
    ["maxConnectionLifetimeMs", 10 * SECOND, DAY],
    ["maxMessages", 1, Number.MAX_SAFE_INTEGER],
    ["maxBytes", 1, Number.MAX_SAFE_INTEGER],
  ] as const)("takes `%s` from %d to %d and nothing beyond", (key, min, max) => {
    for (const value of [min, max]) expect(resolveLifecycle({ [key]: value })[key]).toBe(value);
    const isOff = LIFECYCLE[key].zeroIsOff;
    const beyond = [min - 1, max + 1, 1.5 * SECOND + 0.5, "1h", null, Number.NaN].filter(
      (value) => value !== null && !(isOff && value === 0),
    );
    for (const value of beyond) {
      expect(() => resolveLifecycle({ [key]: value }), String(value)).toThrow(`\`${key}\` must be`);
    }
  });

  it.each(["inactivityTtlMs", "maxMessages", "maxBytes"] as const)("takes 0 as off for `%s`", (key) => {
    expect(resolveLifecycle({ [key]: 0 })[key]).toBe(0);
  });

  it("says which setting, its bounds and what came", () => {
    expect(() => resolveLifecycle({ inactivityTtlMs: 5 })).toThrow(
      "`inactivityTtlMs` must be 0 (off) or a whole number from 1000 to 31536000000, got `5`",
    );
  });
});

describe("clampSetting", () => {
  it.each(LIFECYCLE_KEYS)("brings `%s` into its bounds", (key) => {
    const { min, max, zeroIsOff } = LIFECYCLE[key];
    expect(clampSetting(key, -5)).toBe(min);
    expect(clampSetting(key, Number.POSITIVE_INFINITY)).toBe(max);
    expect(clampSetting(key, 0)).toBe(zeroIsOff ? 0 : min);
    expect(clampSetting(key, min + 0.4)).toBe(min);
  });
});
