import type { BatchItem } from "./data-source.ts";
import { gather } from "./gather.ts";

interface BatchOptions {
  /** The type of every message. */
  readonly type: string;
  /** Whether a batch waits until it is full, so that the same input always makes the same batches. */
  readonly isFilled: boolean;
}

/** What is published, and stored, as one. */
interface Batch {
  readonly body: string;
  /** The lines of the input that its messages are; empty where there are none. */
  readonly lines: readonly number[];
}

/** Well under the default limits of a publish (1,000 messages, 1 MiB), which also hold for a public URL. */
const MAX_MESSAGES = 500;
const MAX_CHARACTERS = 256 * 1_024;

/** Gathers messages into bodies of publishes; see `gather`. */
export async function* toBatches(
  items: AsyncIterable<BatchItem>,
  { type, isFilled }: BatchOptions,
): AsyncGenerator<Batch> {
  const toMessage = ({ dataText }: BatchItem): string =>
    `{"type":${JSON.stringify(type)},"data":${dataText}}`;
  const sizeOf = (item: BatchItem): number => toMessage(item).length;
  const limits = { maxItems: MAX_MESSAGES, maxSize: MAX_CHARACTERS };
  for await (const group of gather(items, { ...limits, sizeOf, isFilled })) {
    yield {
      body: `[${group.map(toMessage).join(",")}]`,
      lines: group.flatMap(({ line }) => line ?? []),
    };
  }
}
