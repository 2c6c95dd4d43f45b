import { describe, expect, it } from "vitest";
import { toEnding } from "#src/client/ending.ts";
import { toNextStep } from "#src/client/next-step.ts";

const FIRST = { failures: 0, mayRenew: false, mayFallBack: false };
const times = <Value>(make: () => Value): Value[] => Array.from({ length: 50 }, make);

/** The pauses that fifty clients make when they are told this. */
const pauses = (status: number, answer: object, situation = FIRST): number[] =>
  times(() => {
    const next = toNextStep(toEnding(status, answer), situation);
    return next.kind === "pause" ? next.pauseMs : Number.NaN;
  });

describe("a pause", () => {
  it("is what the server has spread itself, to the letter", () => {
    expect(new Set(pauses(-2_988, { control: "reconnect", afterMs: 1_234 }))).toEqual(new Set([1_234]));
    expect(new Set(pauses(408, { control: "reconnect", afterMs: 0 }))).toEqual(new Set([0]));
  });

  it.each([
    ["a problem", { afterMs: 5_000 }],
    ["an error frame", { control: "error", afterMs: 5_000 }],
  ])("is spread here where %s says the same to all", (_, answer) => {
    const seen = pauses(503, answer);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...seen)).toBeLessThanOrEqual(10_000);
    expect(new Set(seen).size).toBeGreaterThan(10);
  });

  it("is a backoff where nothing was said of the connection itself", () => {
    const ofARefresh = { control: "error", code: "app_unavailable", afterMs: 3_600_000 };
    for (const answer of [{}, ofARefresh]) {
      const seen = pauses(1_006 - 4_000, answer);
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(250);
      expect(Math.max(...seen)).toBeLessThanOrEqual(500);
    }
  });

  it("is no shorter than the backoff from the second time on, and at most half a minute", () => {
    const seen = pauses(503, { control: "reconnect", afterMs: 1 }, { ...FIRST, failures: 20 });
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(15_000);
    expect(Math.max(...seen)).toBeLessThanOrEqual(30_000);
  });

  it("is none after a gap", () => {
    expect(pauses(410, { afterMs: 9_000 })[0]).toBe(0);
  });
});

describe("a refusal", () => {
  it("with 401 is followed by another token, where there may be one", () => {
    const refused = toEnding(401, { code: "unauthenticated" });
    expect(toNextStep(refused, { ...FIRST, mayRenew: true })).toEqual({ kind: "renew" });
    expect(toNextStep(refused, FIRST)).toMatchObject({ kind: "stop", error: { status: 401 } });
  });

  it.each([400, 403, 404, 422])("with %d is the end", (status) => {
    const next = toNextStep(toEnding(status, {}), { ...FIRST, mayRenew: true, mayFallBack: true });
    expect(next).toMatchObject({ kind: "stop", error: { status } });
  });
});

describe("where no WebSocket can be opened", () => {
  const forbidden = toEnding(403, { code: "transport_forbidden" });

  it("comes one attempt by events, and all of them where the channel has none", () => {
    const situation = { ...FIRST, mayFallBack: true };
    expect(toNextStep({ kind: "unsuited" }, situation)).toEqual({ kind: "fall-back", isForGood: false });
    expect(toNextStep(forbidden, situation)).toEqual({ kind: "fall-back", isForGood: true });
  });

  it("is the end, or is tried again, where it may not be read by events", () => {
    expect(toNextStep(forbidden, FIRST)).toMatchObject({
      kind: "stop",
      error: { code: "transport_forbidden" },
    });
    expect(toNextStep({ kind: "unsuited" }, FIRST)).toMatchObject({ kind: "pause" });
  });
});
