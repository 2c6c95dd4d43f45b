import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChanctlError } from "#src/shared/errors.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { Connections } from "#src/transports/connections.ts";
import type { Connection } from "#src/transports/connections.ts";
import { publishRate } from "#src/transports/rate-limit.ts";

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
    expect(u2 && connections.isCurrent(u2, { askedAt: performance.now() - 60_001 })).toBe(false);
    connections.close();
  });
});

describe("a peer", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  /** One peer of a keepalive of 25 s that can be changed; it answers each ping at once, if it does. */
  function connectOne({ answers }: { readonly answers: boolean }) {
    const connections = new Connections(DEFAULT_LIMITS);
    const peer = { keepaliveIntervalMs: 25_000, pings: 0, killedAt: Number.POSITIVE_INFINITY };
    let lastBeatAt = performance.now();
    let unansweredSince: number | undefined;
    const connection: Connection = {
      channel: "chat",
      subject: undefined,
      address: "127.0.0.1",
      isClient: true,
      endsAt: Number.POSITIVE_INFINITY,
      get lastBeatAt() {
        return lastBeatAt;
      },
      get unansweredSince() {
        return unansweredSince;
      },
      get keepaliveIntervalMs() {
        return peer.keepaliveIntervalMs;
      },
      keepAlive: () => {
        peer.pings += 1;
        lastBeatAt = performance.now();
        if (!answers) unansweredSince ??= lastBeatAt;
      },
      end: () => {},
      kill: () => {
        peer.killedAt = performance.now();
        connections.remove(connection);
      },
    };
    connections.add(connection, { askedAt: performance.now() });
    return { peer, connections };
  }

  it("is not silent for an interval that was made shorter, if it answers the next ping", () => {
    const { peer, connections } = connectOne({ answers: true });
    vi.advanceTimersByTime(20_000);
    peer.keepaliveIntervalMs = 2_000;
    vi.advanceTimersByTime(20_000);
    expect(peer).toMatchObject({ pings: 10, killedAt: Number.POSITIVE_INFINITY });
    connections.close();
  });

  it("is silent once a ping was not answered for two intervals, and not before", () => {
    const { peer, connections } = connectOne({ answers: false });
    const startedAt = performance.now();
    vi.advanceTimersByTime(20_000);
    peer.keepaliveIntervalMs = 2_000;
    vi.advanceTimersByTime(20_000);
    expect(peer.pings).toBe(3);
    expect(peer.killedAt - startedAt).toBeGreaterThanOrEqual(21_000 + 2 * 2_000);
    expect(peer.killedAt - startedAt).toBeLessThanOrEqual(21_000 + 2 * 2_000 + 2_000);
    connections.close();
  });
});

describe("a rate limit", () => {
  it("lets a burst pass, then tells how long to wait", () => {
    const rate = publishRate({ maxPublishesPerSec: 0.001, publishBurst: 3 });
    for (let publish = 0; publish < 3; publish += 1) rate.take();
    expect(() => rate.take()).toThrow(expect.objectContaining({ code: "rate_limited" }));
    const error: unknown = catching(() => rate.take());
    expect((error as { retryAfterSecs: number }).retryAfterSecs).toBeGreaterThan(900);
  });

  it("lets one batch at a time into debt, and the next publish waits until it is paid", () => {
    const rate = publishRate({ maxPublishesPerSec: 0.001, publishBurst: 3 });
    rate.take();
    rate.take(); // another request, whose batch is still on its way
    rate.take();
    rate.takeRest(9);
    expect(() => rate.takeRest(9)).toThrow(expect.objectContaining({ code: "rate_limited" }));
    const error: unknown = catching(() => rate.take());
    const { retryAfterSecs } = error as { retryAfterSecs: number };
    expect(retryAfterSecs).toBeGreaterThan(9_900);
    expect(retryAfterSecs).toBeLessThanOrEqual(10_000);
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
