import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextCursor } from "#src/protocol/durable-streams/cursor.ts";

/** 2024-10-09T00:00:00Z, from which the protocol counts, in intervals of 20 s. */
const EPOCH_MS = Date.UTC(2024, 9, 9);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("a cursor (section 10.1)", () => {
  it("is the number of the present interval for a client that has none, or an older one", () => {
    const now = EPOCH_MS + 1_000 * 20_000 + 19_999;
    for (const echoed of [undefined, "0", "999", "nonsense", "-5", "1e9"])
      expect(nextCursor({ now, echoed, random: 0.5 }), echoed).toBe("1000");
  });

  it("is strictly greater than one that is not older, by at most an hour", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(10_000), random, (current, ahead, chance) => {
        const now = EPOCH_MS + current * 20_000;
        const echoed = current + ahead;
        const next = Number(nextCursor({ now, echoed: String(echoed), random: chance }));
        expect(next).toBeGreaterThan(echoed);
        expect(next - echoed).toBeLessThanOrEqual(3_600 / 20);
      }),
    );
  });

  it("is greater than any number that a client makes up", () => {
    for (const echoed of ["9007199254740991", "9007199254740993", "9".repeat(60)])
      expect(BigInt(nextCursor({ now: Date.now(), echoed, random: 0 }))).toBeGreaterThan(BigInt(echoed));
  });

  it("never goes back for a client that sends back what it got, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100_000_000), random)), (steps) => {
        let echoed: string | undefined;
        for (const [sinceMs, chance] of steps) {
          const next = nextCursor({ now: EPOCH_MS + sinceMs, echoed, random: chance });
          if (echoed !== undefined) expect(Number(next)).toBeGreaterThan(Number(echoed) - 1);
          echoed = next;
        }
      }),
    );
  });
});
