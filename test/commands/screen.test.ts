import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Screen } from "#src/commands/server/screen.ts";

const STATUS = "\u001B[?7l-status-\u001B[?7h\r";
const ERASE = "\r\u001B[K\u001B[J";

let writes: string[];
let screen: Screen;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  writes = [];
  screen = new Screen({ write: (text) => writes.push(text), status: () => "-status-" });
});
afterEach(() => {
  screen.hide();
  vi.useRealTimers();
});

it("writes at once while there is no status line", () => {
  screen.print("a\n");
  expect(writes).toEqual(["a\n"]);
});

it("erases the status line before a line and writes it again after, in one write", () => {
  screen.show();
  screen.print("a\n");
  vi.advanceTimersByTime(100);
  expect(writes).toEqual([STATUS, `${ERASE}a\n${STATUS}`]);
});

it("writes thousands of lines in few writes, and loses none", () => {
  screen.show();
  for (let line = 0; line < 20_000; line += 1) {
    screen.print(`${line}\n`);
    if (line % 20 === 0) vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(100);
  expect(writes.length).toBeLessThan(30); // a second's worth
  const text = writes.join("").replaceAll(STATUS, "").replaceAll(ERASE, "");
  expect(text).toBe(Array.from({ length: 20_000 }, (_, line) => `${line}\n`).join(""));
});

it("redraws what changes without a pause a few times a second", () => {
  screen.show();
  for (let change = 0; change < 1_000; change += 1) {
    screen.refresh();
    vi.advanceTimersByTime(1);
  }
  expect(writes.length).toBeLessThanOrEqual(6);
});

it("writes what waits before it goes, and leaves no status line", () => {
  screen.show();
  screen.print("last\n");
  screen.hide();
  expect(writes).toEqual([STATUS, `${ERASE}last\n`]);
  screen.refresh();
  vi.advanceTimersByTime(1_000);
  expect(writes).toHaveLength(2);
});

it("keeps the order of what something else writes", () => {
  screen.show();
  screen.print("a\n");
  screen.around(() => writes.push("other\n"));
  vi.advanceTimersByTime(1_000);
  expect(writes).toEqual([STATUS, `${ERASE}a\n`, "other\n", STATUS]);
});

it("waits with the status line until a line is whole", () => {
  screen.show();
  screen.print("half ");
  vi.advanceTimersByTime(100);
  screen.print("a line\n");
  vi.advanceTimersByTime(100);
  expect(writes.join("")).toBe(`${STATUS}${ERASE}half a line\n${STATUS}`);
});
