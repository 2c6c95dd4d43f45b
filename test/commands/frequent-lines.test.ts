import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FrequentLines } from "#src/commands/server/frequent-lines.ts";

let lines: string[];
let publishes: FrequentLines;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  publishes = new FrequentLines({
    print: (text) => lines.push(text),
    printSum: ({ path, count }) => lines.push(`${path ?? "others"} × ${count}`),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Publishes evenly for a second. */
function second(path: string, count: number): void {
  for (let index = 0; index < count; index += 1) {
    publishes.add({ path, text: () => path });
    vi.advanceTimersByTime(1_000 / count);
  }
}

test("shows each of a few publishes as it comes", () => {
  for (let round = 0; round < 3; round += 1) second("chat", 5);
  expect(lines).toEqual(Array.from({ length: 15 }, () => "chat"));
});

test("shows a stream that is busy in one line a second, which counts its messages", () => {
  second("chat", 1_000);
  expect(lines).toEqual(["chat", "chat", "chat", "chat", "chat", "chat × 995"]);
  lines.length = 0;
  for (let round = 0; round < 3; round += 1) second("chat", 1_000);
  expect(lines).toEqual(["chat × 1000", "chat × 1000", "chat × 1000"]);
});

test("shows each again once the stream has calmed down", () => {
  second("chat", 100);
  vi.advanceTimersByTime(1_000);
  lines.length = 0;
  publishes.add({ path: "chat", text: () => "calm" });
  expect(lines).toEqual(["calm"]);
});

test("shows a quiet stream beside a busy one", () => {
  second("busy", 1_000);
  lines.length = 0;
  publishes.add({ path: "quiet", text: () => "quiet" });
  second("busy", 1_000);
  expect(lines).toEqual(["quiet", "busy × 1000"]);
});

test("shows the busiest of very many streams, and one sum of all others", () => {
  for (let stream = 0; stream < 100; stream += 1) {
    for (let count = 0; count <= stream; count += 1)
      publishes.add({ path: `room=${stream}`, text: () => `room=${stream}` });
  }
  vi.advanceTimersByTime(1_000);
  expect(lines.length).toBe(20 + 20 + 1);
  expect(lines[20]).toBe("room=99 × 100");
  const counted = lines.slice(20).reduce((total, line) => total + Number(line.split(" × ")[1]), 0);
  expect(20 + counted).toBe((100 * 101) / 2);
});

test("counts the count of a batch", () => {
  for (let index = 0; index < 7; index += 1) publishes.add({ path: "chat", text: () => "chat", count: 50 });
  vi.advanceTimersByTime(1_000);
  expect(lines.at(-1)).toBe("chat × 100");
});

test("gives the only one that is left its own line, which says more than a sum of one", () => {
  for (let index = 1; index <= 6; index += 1)
    publishes.add({ path: "chat", text: () => `chat ${index}`, count: 50 });
  vi.advanceTimersByTime(1_000);
  expect(lines.at(-1)).toBe("chat 6");
});

test("tells at its end what has been counted so far, and nothing after it", () => {
  for (let index = 0; index < 8; index += 1) publishes.add({ path: "chat", text: () => "chat" });
  publishes.close();
  expect(lines).toEqual(["chat", "chat", "chat", "chat", "chat", "chat × 3"]);
  publishes.close();
  vi.advanceTimersByTime(5_000);
  expect(lines).toHaveLength(6);
});
