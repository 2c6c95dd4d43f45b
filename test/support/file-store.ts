import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Operation, Result } from "#src/broker/operation.ts";
import { Reader } from "#src/broker/reader.ts";
import { Writer } from "#src/broker/writer.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A store on disk whose writer runs on this thread: what is applied can be read at once. */
export interface FileStore {
  readonly reader: Reader;
  readonly apply: (...operations: readonly Operation[]) => readonly Result[];
}

/** Opens an empty store, which goes when the test ends. */
export function openFileStore(): FileStore {
  const file = join(temporaryFolder(), "channels.sqlite");
  const writer = new Writer(file);
  const reader = new Reader(file);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  return {
    reader,
    apply: (...operations) => {
      const [outcome] = writer.commit([{ id: 1, operations }]);
      if (outcome === undefined || !("results" in outcome)) throw new Error(JSON.stringify(outcome));
      return outcome.results;
    },
  };
}
