import { onTestFinished } from "vitest";
import { textOf } from "#src/broker/entry.ts";
import { Store } from "#src/broker/store.ts";
import type { StoreOptions } from "#src/broker/store.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import type { Page } from "#src/broker/reader.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Opens a store, closed when the test ends. */
export async function openStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await Store.open({ folder: temporaryFolder(), logger: () => {}, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Every message of one life of a stream, in pages. */
export function readAll(store: Store, path: string, incarnation = 1): { position: number; json: string }[] {
  const messages: { position: number; json: string }[] = [];
  for (;;) {
    const after = { incarnation, position: messages.at(-1)?.position ?? 0 };
    const page: Page = store.reader.page(path, {
      after,
      notBefore: 0,
      maxEntries: 1_000,
      maxBytes: 1_000_000,
    });
    if (page.kind === "gone") throw new Error(`the messages after ${after.position} are gone`);
    if (page.kind === "end") return messages;
    messages.push(...page.entries.map((entry) => ({ position: entry.position, json: textOf(entry) })));
  }
}

/** The code of the `ChanctlError` that a promise must be rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    () => new Error("expected a rejection, got none"),
    (error: unknown) => error,
  );
  if (thrown instanceof ChanctlError) return thrown.code;
  throw thrown;
}
