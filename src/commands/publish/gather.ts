export interface GatherOptions<T> {
  readonly maxItems: number;
  /** A group is full with the item that reaches this. */
  readonly maxSize: number;
  readonly sizeOf: (item: T) => number;
  /** Whether a group waits until it is full, so that the same input always makes the same groups. */
  readonly isFilled: boolean;
}

/**
 * Gathers what is to be sent into groups. What came in while the last group was under way goes together, so that a
 * slow input is sent piece by piece and a fast one in few requests. No more is read than the group takes.
 *
 * An error of the source is thrown after the group of what came before it.
 */
export async function* gather<T>(
  items: AsyncIterable<T>,
  { maxItems, maxSize, sizeOf, isFilled }: GatherOptions<T>,
): AsyncGenerator<T[]> {
  const source = items[Symbol.asyncIterator]();
  let next = settle(source.next());
  for (let isOpen = true; isOpen;) {
    const group: T[] = [];
    let size = 0;
    while (group.length < maxItems && size < maxSize) {
      const isWaiting = isFilled || group.length === 0;
      const outcome = isWaiting ? await next : await Promise.race([next, afterPendingReads()]);
      if (outcome === undefined) break;
      if (outcome.kind === "failed" && group.length > 0) break; // thrown by the next round
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.result.done === true) {
        isOpen = false;
        break;
      }
      group.push(outcome.result.value);
      size += sizeOf(outcome.result.value);
      next = settle(source.next());
    }
    if (group.length > 0) yield group;
  }
}

type Outcome<T> =
  | { readonly kind: "read"; readonly result: IteratorResult<T> }
  | { readonly kind: "failed"; readonly error: unknown };

/** A rejection waits for its turn as a value: nobody may be awaiting it yet. */
function settle<T>(read: Promise<IteratorResult<T>>): Promise<Outcome<T>> {
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
