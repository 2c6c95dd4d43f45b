import { parseOffset } from "../../protocol/offset.ts";

interface Missed {
  /** The last id that was read; absent or `start` if none was. */
  readonly last: string | undefined;
  /** The id just before the oldest message that is kept. */
  readonly oldest: string;
}

/** What a gap holds, for a sentence: `12 messages after <id>`. Ids count the messages before them. */
export function missedText({ last, oldest }: Missed): string {
  const from = parseOffset(last ?? "");
  const to = parseOffset(oldest);
  if (from === undefined) return "some messages";
  const count = from.incarnation === to?.incarnation ? to.position - from.position : 0;
  if (count <= 0) return `what came after ${last}`; // another life of the stream, or an id that it never gave
  return `${count} ${count === 1 ? "message" : "messages"} after ${last}`;
}
