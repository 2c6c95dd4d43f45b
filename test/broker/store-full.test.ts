import { writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { Store } from "#src/broker/store.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { append, resultOf } from "../support/operations.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { codeOf, openStore, readAll } from "../support/store.ts";

const LARGE = JSON.stringify("x".repeat(16 * 1_024));

/** Publishes until the store refuses, and returns the positions that were acknowledged. */
async function fill(store: Store, text: string = LARGE): Promise<number[]> {
  const acknowledged: number[] = [];
  for (;;) {
    try {
      const [result] = await store.propose([append({ texts: [text] })]);
      acknowledged.push(resultOf("appended", result).first + 1);
    } catch (error) {
      expect(error).toBeInstanceOf(ChanctlError);
      expect(error).toMatchObject({ code: "store_full", status: 507, retryAfterSecs: 1 });
      return acknowledged;
    }
  }
}

/** Publishes less and less until nothing fits, again and again as the store recovers; returns the last position. */
async function fillToTheBrim(store: Store): Promise<number> {
  let last = 0;
  for (const length of [64_000, 4_000, 10]) {
    for (let isFilling = true; isFilling;) {
      const added = await fill(store, JSON.stringify("x".repeat(length)));
      last = added.at(-1) ?? last;
      isFilling = added.length > 0;
      await setTimeout(1_050); // it looks for room once a second
    }
  }
  return last;
}

describe("a store on a full disk", () => {
  it("refuses to publish, goes on reading, and has all that was acknowledged", async (context) => {
    const store = await openStore({ folder: mountSmallDisk(context, { megabytes: 24 }) });
    const acknowledged = await fill(store);
    expect(acknowledged.length).toBeGreaterThan(100);
    const stored = new Set(readAll(store, "chat").map(({ position }) => position));
    expect(acknowledged.filter((position) => !stored.has(position))).toEqual([]);
    expect(await codeOf(store.propose([append()]))).toBe("store_full");
  });

  it("makes room by trims, and publishes again", async (context) => {
    const store = await openStore({ folder: mountSmallDisk(context, { megabytes: 24 }) });
    const last = (await fill(store)).at(-1) ?? 0;
    await vi.waitFor(() => store.propose([{ kind: "trim", incarnation: 1, position: last - 10 }]), WAIT);
    await vi.waitFor(() => store.propose([append()]), WAIT);
    const kept = readPositions(store, last - 10);
    expect(kept).toEqual(kept.map((_, index) => last - 9 + index));
  });

  it("makes room by a trim where not a byte is left, however seldom one is tried", async (context) => {
    const store = await openStore({ folder: mountSmallDisk(context, { megabytes: 14 }) });
    const last = await fillToTheBrim(store);
    expect(await store.propose([{ kind: "trim", incarnation: 1, position: last }])).toMatchObject([{ kind: "trimmed" }]);
    await vi.waitFor(() => store.propose([append()]), WAIT);
  });

  it("publishes again when somebody else makes room, and has lost nothing", async (context) => {
    const folder = mountSmallDisk(context, { megabytes: 40 });
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(20 * 1_024 * 1_024));
    const store = await openStore({ folder });
    const before = await fill(store);
    rmSync(ballast);
    await vi.waitFor(() => store.propose([append()]), WAIT);
    const stored = new Set(readAll(store, "chat").map(({ position }) => position));
    expect(before.filter((position) => !stored.has(position))).toEqual([]);
  });
});

const WAIT = { timeout: 20_000, interval: 200 };

function readPositions(store: Store, position: number): number[] {
  const request = { after: { incarnation: 1, position }, notBefore: 0, maxMessages: 1_000, maxBytes: 1e9 };
  const page = store.reader.page("chat", request);
  if (page.kind !== "messages") throw new Error(`expected messages, got ${page.kind}`);
  return page.messages.map((message) => message.position);
}
