import { expect, test } from "vitest";
import { SharedCalls } from "#src/auth/shared-calls.ts";
import { shutGate } from "../support/gate.ts";

const { signal: stays } = new AbortController();

test("who is not content with an outcome asks anew, though others have yet to hear it", async () => {
  const shared = new SharedCalls<number>();
  const gate = shutGate();
  let calls = 0;
  const call = async (): Promise<number> => {
    calls += 1;
    const number = calls;
    await gate.opened;
    return number;
  };
  const again = shared
    .join("a", { call, signal: stays })
    .then(() => shared.join("a", { call, signal: stays }));
  const once = shared.join("a", { call, signal: stays });
  gate.open();
  expect(await Promise.all([again, once])).toEqual([2, 1]);
});

test("who comes when all have left makes a call of its own", async () => {
  const shared = new SharedCalls<string>();
  const leaves = new AbortController();
  const givenUp: AbortSignal[] = [];
  const never = (signal: AbortSignal): Promise<string> => {
    givenUp.push(signal);
    return new Promise(() => {});
  };
  const left = [1, 2].map(() => shared.join("a", { call: never, signal: leaves.signal }));
  leaves.abort();
  expect(await Promise.all(left)).toEqual([undefined, undefined]);
  expect(givenUp.map(({ aborted }) => aborted)).toEqual([true]);
  expect(await shared.join("a", { call: async () => "new", signal: stays })).toBe("new");
  expect(await shared.join("a", { call: async () => "too late", signal: leaves.signal })).toBeUndefined();
});

test("all who wait hear of a failure", async () => {
  const shared = new SharedCalls<string>();
  const call = (): Promise<string> => Promise.reject(new Error("no"));
  const waiting = [1, 2].map(() => shared.join("a", { call, signal: stays }));
  for (const one of waiting) await expect(one).rejects.toThrow("no");
});
