import { clip } from "../shared/clip.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import { arrayElements, isArrayText, isObjectText, objectMembers } from "./json-text.ts";
import { atIndex } from "./message-index.ts";

/** One message of a channel, as every client sees it. */
export interface Message<Type extends string = string, Data = unknown> {
  /** The offset just after the message; send it back to resume from here. */
  readonly id: string;
  readonly channel: string;
  readonly type: Type;
  readonly data: Data;
  /** The publisher's subject, as the app's answer gave it; absent when the app itself published. */
  readonly from?: string;
  /** The broker's clock in ms since 1970; never goes back within a stream. */
  readonly time: number;
}

/** What a publisher sends: its type, and its data as the text it was written in. */
export interface Draft {
  readonly type: string;
  /** JSON text of `data`, exactly as it came. */
  readonly dataText: string;
}

export interface PublishLimits {
  /** One message, in bytes of its `data`. */
  readonly maxMessageBytes: number;
  /** Messages in one publish. */
  readonly maxBatchMessages: number;
}

/** Characters of a message's type; it goes with every message, and into the log. */
const MAX_TYPE_LENGTH = 256;

/**
 * Reads the body of a publish: one `{"type","data"}` or an array of them. Other fields are ignored.
 *
 * @throws {ChanctlError} `malformed`, `too_big` with the place of what is wrong.
 */
export function parsePublishBody(body: string, limits: PublishLimits): Draft[] {
  assertJson(body);
  if (!isArrayText(body)) return [parseDraft(body, "the body", limits)];
  const elements = arrayElements(body);
  if (elements.length === 0) {
    throw new ChanctlError("malformed", "the body must hold at least one message, got an empty array");
  }
  if (elements.length > limits.maxBatchMessages) {
    throw new ChanctlError(
      "too_big",
      `a batch may hold ${limits.maxBatchMessages} messages (\`limits.maxBatchMessages\`), got ${elements.length}`,
      { limit: "maxBatchMessages" },
    );
  }
  return elements.map((element, index) =>
    atIndex({ index }, () =>
      parseDraft(element, elements.length === 1 ? "the message" : `message ${index}`, limits),
    ),
  );
}

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ChanctlError("malformed", `the body is not JSON: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Reads one `{"type","data"}` from JSON text that `JSON.parse` has accepted.
 *
 * @param place what the text is, for the error: "the body", "message 3".
 */
export function parseDraft(
  text: string,
  place: string,
  limits: Pick<PublishLimits, "maxMessageBytes">,
): Draft {
  if (!isObjectText(text)) {
    throw new ChanctlError("malformed", `${place} must be an object with \`type\` and \`data\``);
  }
  const members = objectMembers(text);
  const typeText = members.get("type");
  const type: unknown = typeText === undefined ? undefined : JSON.parse(typeText);
  if (typeof type !== "string" || type === "") {
    throw new ChanctlError(
      "malformed",
      `\`type\` of ${place} must be a text, got \`${clip(typeText ?? "nothing")}\``,
    );
  }
  if (type.length > MAX_TYPE_LENGTH) {
    throw new ChanctlError(
      "malformed",
      `\`type\` of ${place} must have at most ${MAX_TYPE_LENGTH} characters, got ${type.length}`,
    );
  }
  const dataText = members.get("data");
  if (dataText === undefined) {
    throw new ChanctlError("malformed", `${place} has no \`data\``, {
      hint: 'send {"type": "…", "data": …}; `null` is allowed as data',
    });
  }
  const draft = { type, dataText };
  assertDataFits(draft, place, limits);
  return draft;
}

/**
 * Checks the size of a draft's data as it is written.
 *
 * @param place what the draft is, for the error: "the body", "message 3".
 * @throws {ChanctlError} `too_big`.
 */
export function assertDataFits(
  { dataText }: Draft,
  place: string,
  { maxMessageBytes }: Pick<PublishLimits, "maxMessageBytes">,
): void {
  // A UTF-16 unit takes at most three bytes of UTF-8, so most messages need no count.
  const bytes = dataText.length * 3 > maxMessageBytes ? new TextEncoder().encode(dataText).length : 0;
  if (bytes > maxMessageBytes) {
    throw new ChanctlError(
      "too_big",
      `${place} has ${bytes} bytes of data, more than \`limits.maxMessageBytes\` (${maxMessageBytes})`,
      { limit: "maxMessageBytes" },
    );
  }
}

/**
 * All of a stored message but `id` and `time`, which only `apply` knows.
 *
 * @see composeMessage
 */
export function messageTemplate({
  channel,
  draft,
  from,
}: {
  channel: string;
  draft: Draft;
  from: string | undefined;
}): string {
  const sender = from === undefined ? "" : `"from":${JSON.stringify(from)},`;
  return `","channel":${JSON.stringify(channel)},"type":${JSON.stringify(draft.type)},"data":${draft.dataText},${sender}"time":`;
}

/** The JSON of a message as it is stored and served. The same on every thread: `apply` and the hub both make it. */
export function composeMessage(template: string, { id, time }: { id: string; time: number }): string {
  return `{"id":"${id}${template}${time}}`;
}
