import Database from "better-sqlite3";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { Committed } from "#src/broker/log.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import { Store } from "#src/broker/store.ts";
import { kill, startFixture } from "../support/child.ts";
import { append, resultOf } from "../support/operations.ts";
import { codeOf, openStore, readAll } from "../support/store.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** An append that breaks a rule of the database: a stream's path is never null. */
const BAD = { ...append(), path: null } as unknown as Operation;

describe("Store", () => {
  it("gives one result an operation, in order, and shows them to a reader", async () => {
    const store = await openStore();
    const results = await store.propose([append({ texts: ["1", "2"] }), append({ path: "other" })]);
    expect(results).toMatchObject([
      { incarnation: 1, first: 0, count: 2 },
      { incarnation: 2, first: 0, count: 1 },
    ]);
    expect(readAll(store, "chat")).toHaveLength(2);
  });

  it("keeps everything for the next process", async () => {
    const folder = temporaryFolder();
    await using first = await openStore({ folder });
    await first.propose([append()]);
    await first.close();
    const second = await openStore({ folder });
    expect(readAll(second, "chat")).toHaveLength(1);
    expect(await second.propose([append()])).toMatchObject([{ incarnation: 1, first: 1 }]);
  });

  it("tells followers before proposers, in commit order, of what a reader finds", async () => {
    const store = await openStore();
    const events: string[] = [];
    store.follow({
      onCommitted: (batch) => {
        for (const { result } of batch) {
          const { first } = resultOf("appended", result);
          const isReadable = (store.reader.stream("chat")?.tail ?? 0) > first;
          events.push(`${isReadable ? "announced" : "announced too early"} ${first}`);
        }
      },
    });
    const propose = async (): Promise<void> => {
      const [result] = await store.propose([append()]);
      const { first } = resultOf("appended", result);
      expect(events).toContain(`announced ${first}`);
    };
    await Promise.all(Array.from({ length: 200 }, propose));
    expect(events).toEqual(Array.from({ length: 200 }, (_, first) => `announced ${first}`));
  });

  it("tells nobody who has stopped following", async () => {
    const store = await openStore();
    const onCommitted = vi.fn<(batch: readonly Committed[]) => void>();
    const unfollow = store.follow({ onCommitted });
    await store.propose([append()]);
    unfollow();
    await store.propose([append()]);
    expect(onCommitted).toHaveBeenCalledTimes(1);
  });

  it("commits what comes in while a commit is under way together", async () => {
    const store = await openStore();
    let batches = 0;
    store.follow({ onCommitted: () => (batches += 1) });
    const proposals: Promise<readonly Result[]>[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      for (let index = 0; index < 50; index += 1) proposals.push(store.propose([append()]));
      await nextTurn();
    }
    await Promise.all(proposals);
    expect(readAll(store, "chat")).toHaveLength(1_000);
    expect(batches).toBeLessThanOrEqual(20);
  });

  it("stores all operations of a proposal, or none", async () => {
    const store = await openStore();
    expect(await codeOf(store.propose([append(), BAD]))).toBe("internal");
    expect(store.reader.stream("chat")).toBeUndefined();
  });

  it("lets one bad operation fail alone", async () => {
    const store = await openStore();
    const settled = await Promise.allSettled([
      store.propose([append({ texts: ["1"] })]),
      store.propose([BAD]),
      store.propose([append({ texts: ["2"] })]),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(readAll(store, "chat").map(({ json }) => JSON.parse(json).data)).toEqual([1, 2]);
  });

  it("commits what was proposed before it closes, and takes nothing after", async () => {
    const folder = temporaryFolder();
    const store = await openStore({ folder });
    const proposals = Array.from({ length: 100 }, () => store.propose([append()]));
    const closed = store.close();
    expect(await codeOf(store.propose([append()]))).toBe("store_unavailable");
    await Promise.all(proposals);
    await closed;
    await store.close();
    expect(readAll(await openStore({ folder }), "chat")).toHaveLength(100);
  });

  it("keeps the WAL bounded under load", async () => {
    const folder = temporaryFolder();
    const store = await openStore({ folder });
    const texts = Array.from({ length: 8 }, () => JSON.stringify("x".repeat(128 * 1_024)));
    let largest = 0;
    for (let round = 0; round < 40; round += 1) {
      await Promise.all([1, 2, 3, 4].map(() => store.propose([append({ texts })])));
      largest = Math.max(largest, statSync(join(folder, "channels.sqlite-wal")).size);
    }
    expect(largest).toBeLessThanOrEqual(64 * 1_024 * 1_024);
    expect(readAll(store, "chat")).toHaveLength(1_280);
  });

  it("moves committed pages into the database beside the writer", async () => {
    const folder = temporaryFolder();
    const store = await openStore({ folder });
    const size = () => statSync(join(folder, "channels.sqlite")).size;
    const before = size();
    await store.propose([append({ texts: [JSON.stringify("x".repeat(1_000_000))] })]);
    await vi.waitFor(() => expect(size()).toBeGreaterThan(before + 1_000_000), { timeout: 20_000 });
  });

  it("gives the room of what was trimmed back to the file system, in steps", async () => {
    const folder = temporaryFolder();
    const store = await openStore({ folder });
    for (let round = 0; round < 20; round += 1) {
      await store.propose([
        append({ texts: Array.from({ length: 50 }, () => JSON.stringify("x".repeat(10_000))) }),
      ]);
    }
    for (let position = 1; position <= 1_000; position += 25)
      await store.propose([{ kind: "trim", incarnation: 1, position }]);
    await store.close();
    expect(statSync(join(folder, "channels.sqlite")).size).toBeLessThan(5_000_000);
  });

  describe("that cannot be opened", () => {
    it("is refused when a later version wrote it, and left as it is", async () => {
      const folder = temporaryFolder();
      await (await openStore({ folder })).close();
      const db = new Database(join(folder, "channels.sqlite"));
      db.pragma("user_version = 99");
      db.close();
      await expect(Store.open({ folder, logger: () => {} })).rejects.toMatchObject({
        code: "store_newer",
        message: expect.stringContaining("has schema 99"),
        hint: expect.stringContaining("npm install chanctl@latest"),
      });
      const again = new Database(join(folder, "channels.sqlite"));
      expect(again.pragma("user_version", { simple: true })).toBe(99);
      again.close();
    });

    it("is refused when it is no database", async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "channels.sqlite"), "no database, but some text of a person".repeat(100));
      expect(await codeOf(Store.open({ folder, logger: () => {} }))).toBe("store_invalid");
    });

    it("frees the lock, so that another try after the repair works", async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "channels.sqlite"), "no database".repeat(100));
      await codeOf(Store.open({ folder, logger: () => {} }));
      writeFileSync(join(folder, "channels.sqlite"), "");
      const store = await openStore({ folder });
      expect(await store.propose([append()])).toHaveLength(1);
    });

    it("is refused while another process has it, and free once that one is killed", async () => {
      const folder = temporaryFolder();
      const other = startFixture("holds-store", folder);
      if (other.stdout === null) throw new Error("the child has no output");
      await once(other.stdout, "data");
      const opened = Store.open({
        folder,
        logger: () => {},
        holder: () => ({ pid: other.pid ?? 0, url: "http://localhost:4433" }),
      });
      await expect(opened).rejects.toMatchObject({
        code: "store_in_use",
        message: expect.stringContaining(`chanctl (pid ${other.pid}, http://localhost:4433)`),
        hint: expect.stringContaining(`kill ${other.pid} `),
      });
      await kill(other);
      const store = await openStore({ folder });
      expect(await store.propose([append()])).toHaveLength(1);
    });

    it("is refused a second time in the same process", async () => {
      const folder = temporaryFolder();
      await openStore({ folder });
      expect(await codeOf(Store.open({ folder, logger: () => {} }))).toBe("store_in_use");
    });
  });
});
