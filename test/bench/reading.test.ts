import { expect, test } from "vitest";
import { Reading } from "../../bench/load/reading.ts";

/** Reads messages given as `lane:number`. */
function read(messages: string): Reading {
  const reading = new Reading([0, 0]);
  for (const message of messages.split(" ")) {
    const [lane = 0, number = 0] = message.split(":").map(Number);
    reading.read(lane, number);
  }
  return reading;
}

test("finds nothing wrong when every message came once and in the order of its lane", () => {
  expect(read("0:0 1:0 0:1 1:1").check([2, 2])).toBeUndefined();
  expect(read("1:0 1:1 0:0 0:1").check([2, 2])).toBeUndefined();
});

test.each([
  ["a lost message", "0:0 0:1 1:1", "expected message 0 of lane 1, got 1"],
  ["a message lost at the end", "0:0 1:0 0:1", "expected 2 messages of lane 1, got 1"],
  ["a message that came twice", "0:0 1:0 1:0 0:1 1:1", "expected message 1 of lane 1, got 0"],
  ["a message that came twice at the end", "0:0 1:0 0:1 1:1 1:1", "expected message 2 of lane 1, got 1"],
  ["a message that was never sent", "0:0 1:0 0:1 1:1 1:2", "expected 2 messages of lane 1, got 3"],
  ["messages of a lane in the wrong order", "0:1 0:0 1:0 1:1", "expected message 0 of lane 0, got 1"],
])("finds %s", (_, messages, problem) => {
  expect(read(messages).check([2, 2])).toBe(problem);
});

test("two readings agree on the order only if they read in the same order", () => {
  expect(read("0:0 1:0 0:1 1:1").order).toBe(read("0:0 1:0 0:1 1:1").order);
  expect(read("0:0 1:0 0:1 1:1").order).not.toBe(read("1:0 0:0 0:1 1:1").order);
});
