import type { BatchItem } from "./data-source.ts";

interface BatchOptions {
  /** The type of every message. */
  readonly type: string;
  /** Whether a batch waits until it is full, so that the same input always makes the same batches. */
  readonly isFilled: boolean;
}

/** Well under the default limits of a publish (1,000 messages, 1 MiB), which also hold for a public URL. */
const MAX_MESSAGES = 500;
const MAX_CHARACTERS = 256 * 1_024;

/**
 * Gathers messages into bodies of publishes. What came in while the last batch was under way goes together,
 * so that a slow input is published line by line and a fast one in few requests.
 *
 * An error of the source is thrown after the batch of what came before it.
 */
export async function* toBatches(
  items: AsyncIterable<BatchItem>,
  { type, isFilled }: BatchOptions,
): AsyncGenerator<string> {
  const source = items[Symbol.asyncIterator]();
  let next = settle(source.next());
  for (let isOpen = true; isOpen;) {
    const messages: string[] = [];
    let characters = 0;
    while (messages.length < MAX_MESSAGES && characters < MAX_CHARACTERS) {
      const isWaiting = isFilled || messages.length === 0;
      const outcome = isWaiting ? await next : await Promise.race([next, afterPendingReads()]);
      if (outcome === undefined) break;
      if (outcome.kind === "failed" && messages.length > 0) break; // thrown by the next round
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.result.done === true) {
        isOpen = false;
        break;
      }
      const message = `{"type":${JSON.stringify(type)},"data":${outcome.result.value.dataText}}`;
      messages.push(message);
      characters += message.length;
      next = settle(source.next());
    }
    if (messages.length > 0) yield `[${messages.join(",")}]`;
  }
}

type Outcome =
  | { readonly kind: "read"; readonly result: IteratorResult<BatchItem> }
  | { readonly kind: "failed"; readonly error: unknown };

/** A rejection waits for its turn as a value: nobody may be awaiting it yet. */
function settle(read: Promise<IteratorResult<BatchItem>>): Promise<Outcome> {
  return read.then(
    (result) => ({ kind: "read", result }),
    (error: unknown) => ({ kind: "failed", error }),
  );
}

/** Resolves once input that has already arrived has been read. */
function afterPendingReads(): Promise<undefined> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(undefined));
  });
}
