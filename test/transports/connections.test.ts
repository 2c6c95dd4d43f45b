import { describe, expect, it } from "vitest";
import { ChanctlError } from "#src/shared/errors.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { Connections } from "#src/transports/connections.ts";
import { RateLimit } from "#src/transports/rate-limit.ts";

describe("a grant", () => {
  it("holds only if it was asked for after the last ending that means its holder, and a moment ago", () => {
    const connections = new Connections(DEFAULT_LIMITS);
    const [u1, u2] = ["u1", "u2"].map((subject) => ({ channel: "chat", subject }));
    const before = { askedAt: performance.now() - 1 };
    const reason = new ChanctlError("disconnected", "the app has disconnected you");
    connections.endWhere(({ subject }) => subject === "u1", reason);
    connections.endWhere(({ channel }) => channel === "other", reason);
    const after = { askedAt: performance.now() + 1 };
    expect(u1 && connections.isCurrent(u1, before)).toBe(false);
    expect(u1 && connections.isCurrent(u1, after)).toBe(true);
    expect(u2 && connections.isCurrent(u2, before)).toBe(true);
    // Endings are not remembered for ever, so an older grant cannot be judged.
    expect(u2 && connections.isCurrent(u2, { askedAt: performance.now() - 15_001 })).toBe(false);
    connections.close();
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
