import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Operation } from "#src/broker/operation.ts";
import type { Store } from "#src/broker/store.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { append, resultOf } from "../support/operations.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { codeOf, openStore, readAll } from "../support/store.ts";

const LARGE = JSON.stringify("x".repeat(16 * 1_024));

/** Publishes until the store refuses, and returns the positions that were acknowledged. */
async function fill(store: Store): Promise<number[]> {
  const acknowledged: number[] = [];
  for (;;) {
    try {
      const [result] = await store.propose([append({ texts: [LARGE] })]);
      acknowledged.push(resultOf("appended", result).first + 1);
    } catch (error) {
      expect(error).toBeInstanceOf(ChanctlError);
      expect(error).toMatchObject({ code: "store_full", status: 507, retryAfterSecs: 1 });
      return acknowledged;
    }
  }
}

/** Takes every byte that is left. */
function fillDisk(folder: string): void {
  const descriptor = openSync(join(folder, "ballast"), "w");
  try {
    for (const chunk of [Buffer.alloc(65_536), Buffer.alloc(1)]) {
      while (hasRoom(() => writeSync(descriptor, chunk))) continue;
    }
  } finally {
    closeSync(descriptor);
  }
}

function hasRoom(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
    return false;
  }
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

  it("trims at the first try where not a byte is left", async (context) => {
    const folder = mountSmallDisk(context, { megabytes: 24 });
    const store = await openStore({ folder });
    for (let message = 0; message < 300; message += 1) await store.propose([append({ texts: [LARGE] })]);
    fillDisk(folder);
    const trim: Operation = { kind: "trim", incarnation: 1, position: 300 };
    expect(await store.propose([trim])).toMatchObject([{ kind: "trimmed", count: 300 }]);
    expect(store.reader.stream("chat")).toMatchObject({ oldest: 300, tail: 300 });
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
  const request = { after: { incarnation: 1, position }, notBefore: 0, maxEntries: 1_000, maxBytes: 1e9 };
  const page = store.reader.page("chat", request);
  if (page.kind !== "entries") throw new Error(`expected messages, got ${page.kind}`);
  return page.entries.map((entry) => entry.position);
}
