import { describe, expect, it } from "vitest";
import { createEventCursors } from "#src/transports/durable-streams/event-cursors.ts";

const NOW = Date.UTC(2026, 0, 1);
const INTERVAL_MS = 20_000;

function open(echoed: string | undefined, random = 0.5) {
  let now = NOW;
  const cursors = createEventCursors({ echoed, now: () => now, random: () => random });
  return { ...cursors, pass: (intervals: number) => (now += intervals * INTERVAL_MS) };
}

const current = Number(open(undefined).next());

describe("the cursors of an event stream (section 10.1)", () => {
  it("are everybody's for a client that comes back with one of an interval that is over", () => {
    for (const echoed of [undefined, "0", "12", String(current - 1)]) {
      const { name, next } = open(echoed);
      expect([name, next()]).toEqual(["", String(current)]);
    }
  });

  it("have a name of their own for a client that is moved on, the same for all that are moved as far", () => {
    const moved = open(String(current));
    expect(Number(moved.next())).toBeGreaterThan(current);
    expect(moved.name).not.toBe("");
    expect(open(String(current)).name).toBe(moved.name);
    expect(open(String(current), 0.9).name).not.toBe(moved.name);
  });

  it("rise with time, and never go back", () => {
    const everybody = open(undefined);
    everybody.pass(1);
    expect(everybody.next()).toBe(String(current + 1));
    const moved = open(String(current));
    const first = Number(moved.next());
    moved.pass(1);
    expect(Number(moved.next())).toBe(first);
    moved.pass(1_000);
    expect(Number(moved.next())).toBe(current + 1_001);
  });
});
