import { describe, expect, it } from "vitest";
import { Clock } from "#src/broker/clock.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { NOON } from "../support/operations.ts";

const MINUTE = 60_000;

/** A clock whose wall and monotonic time the test moves. */
function fakeClock({ notBefore = 0 }: { notBefore?: number } = {}) {
  const time = { wall: NOON, monotonic: 500 };
  const log: LogEntry[] = [];
  const clock = new Clock({
    notBefore,
    logger: (entry) => void log.push(entry),
    wall: () => time.wall,
    monotonic: () => time.monotonic,
  });
  /** Lets time pass, and the wall clock jump as well. */
  const pass = (milliseconds: number, { jump = 0 }: { jump?: number } = {}): number => {
    time.wall += milliseconds + jump;
    time.monotonic += milliseconds;
    return clock.now() - NOON;
  };
  return { pass, log };
}

describe("Clock", () => {
  it("is the wall clock while that does not jump", () => {
    const { pass, log } = fakeClock();
    expect([pass(0), pass(1_000), pass(0.5), pass(86_400_000)]).toEqual([0, 1_000, 1_000, 86_401_000]);
    expect(log).toEqual([]);
  });

  it.each([
    ["forward", 3_600_000, 1],
    ["back", -3_600_000, -1],
  ])("follows a jump %s by a second a minute", (_, jump, direction) => {
    const { pass } = fakeClock();
    expect(pass(0, { jump })).toBe(0);
    expect(pass(MINUTE)).toBe(MINUTE + direction * 1_000);
    expect(pass(59 * MINUTE)).toBe(60 * MINUTE + direction * 60_000);
  });

  it("never goes back, whatever the wall clock does", () => {
    const { pass } = fakeClock();
    let last = pass(0);
    for (const jump of [-1e9, 5, -3, 1e12, -1e12, 0.4, -0.6]) {
      const now = pass(3, { jump });
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  it("comes back to the wall clock and stays there", () => {
    const { pass } = fakeClock();
    pass(0, { jump: 1_000 });
    expect(pass(2 * MINUTE)).toBe(2 * MINUTE + 1_000);
    expect(pass(10)).toBe(2 * MINUTE + 1_010);
  });

  it("goes on from the store's last time where the wall clock is behind it", () => {
    const { pass } = fakeClock({ notBefore: NOON + 5_000 });
    expect(pass(0)).toBe(5_000);
    expect(pass(MINUTE)).toBe(5_000 + MINUTE - 1_000);
  });

  it("tells of a jump once, and of the next one again", () => {
    const { pass, log } = fakeClock();
    pass(0, { jump: 1_500 });
    expect(log).toEqual([]);
    pass(10, { jump: 100_000 });
    pass(10);
    expect(log).toMatchObject([
      { level: "warn", event: "clock-jump", fields: { driftMs: expect.any(Number) } },
    ]);
    pass(10, { jump: -101_500 });
    pass(10, { jump: 50_000 });
    expect(log).toHaveLength(2);
  });
});
