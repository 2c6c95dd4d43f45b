import { describe, expect, it } from "vitest";
import { resolveLifecycle } from "#src/shared/lifecycle.ts";
import { endOfLife } from "#src/transports/connections.ts";
import { RateLimit } from "#src/transports/rate-limit.ts";

describe("the end of a connection's life", () => {
  const lifecycle = resolveLifecycle({ maxConnectionLifetimeMs: 10_000_000 });

  it("is between 80 and 100 % of its lifetime, another for each", () => {
    const now = performance.now();
    const ends = Array.from({ length: 1_000 }, () => (endOfLife(lifecycle, undefined) - now) / 10_000_000);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(0.8);
    expect(Math.max(...ends)).toBeLessThanOrEqual(1.01);
    expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(0.15);
  });

  it("is not after its grant", () => {
    const left = endOfLife(lifecycle, Date.now() + 1_000_000) - performance.now();
    expect(left).toBeLessThanOrEqual(1_001_000);
    expect(left).toBeGreaterThan(0);
    expect(endOfLife(lifecycle, Date.now() - 1)).toBeLessThan(performance.now());
  });
});

describe("a rate limit", () => {
  it("lets a burst pass, then tells how long to wait", () => {
    const rate = new RateLimit({ maxPublishesPerSec: 0.001, publishBurst: 3 });
    for (let publish = 0; publish < 3; publish += 1) rate.take();
    expect(() => rate.take()).toThrow(expect.objectContaining({ code: "rate_limited" }));
    const error: unknown = catching(() => rate.take());
    expect((error as { retryAfterSecs: number }).retryAfterSecs).toBeGreaterThan(900);
  });
});

function catching(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
