import { pbkdf2 } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";

import { describe, expect, test, vi } from "vitest";

import { FolderWatch } from "#src/registry/folder-watch.ts";

import { createProject } from "./temp-project.ts";

const FILES = ["a.ts", "b.ts", "c.ts", "d.ts"];
/** The size of Node's thread pool. */
const POOL_THREADS = 4;

function nativeWatches(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "FSEventWrap").length;
}

/** Resolves once the thread pool, which all of `fs` waits for, is free again. */
async function blockThreadPool(): Promise<void> {
  const hash = promisify(pbkdf2);
  await Promise.all(Array.from({ length: POOL_THREADS }, () => hash("a", "b", 400_000, 64, "sha512")));
}

describe("a watch of folders", () => {
  test("keeps nothing that it watched after its close, though its files go at that moment", async () => {
    for (let round = 0; round < 3; round += 1) {
      const project = createProject(Object.fromEntries(FILES.map((name) => [name, ""])));
      const before = nativeWatches();
      const onEvent = vi.fn();
      const watch = new FolderWatch({ onEvent, onError: () => {} });
      const paths = new Set([project.root, ...FILES.map((name) => project.path(name))]);
      watch.watch({ paths, matters: () => true });
      await vi.waitUntil(() => onEvent.mock.calls.length > 0); // it stands
      onEvent.mockClear();

      const isFree = blockThreadPool(); // as on a busy machine: what asks after a file waits
      for (const name of FILES) rmSync(join(project.root, name));
      await vi.waitUntil(() => onEvent.mock.calls.length > 0);
      await watch.close();
      await isFree;
      await nextTurn();
      await blockThreadPool(); // whatever was asked meanwhile has its answer
      expect(nativeWatches()).toBe(before);
    }
  });
});
