import type { Grant } from "../auth/grant.ts";
import { clip } from "../shared/clip.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Draft } from "../protocol/message.ts";
import { atIndex } from "../protocol/message-index.ts";
import type { CallTransport } from "../protocol/app-call.ts";
import { toMessageIds } from "../broker/message-ids.ts";
import type { Appended, Refused } from "../broker/operation.ts";
import type { ProducerStamp, StreamRefused } from "../broker/stream-operation.ts";
import { publisherOf } from "./access.ts";
import { toCurrent } from "./channel-target.ts";
import type { ChannelTarget } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import { showMessage } from "./show-message.ts";

export interface Publish {
  readonly target: ChannelTarget;
  readonly drafts: readonly Draft[];
  /** In whose name. */
  readonly grant: Pick<Grant, "subject">;
  readonly transport: CallTransport;
  readonly key?: string;
  /**
   * Aborts when the publisher leaves: if the app has not let all of it pass by then, nothing is stored, and the app is
   * shown no more of it. What is on its way to the disk is stored all the same.
   */
  readonly signal: AbortSignal;
  /** Makes a repeat harmless in the way of Durable Streams. */
  readonly producer?: ProducerStamp;
  /** Must be greater than the last one of the stream, compared as text. */
  readonly seq?: string;
}

/** Of a batch, which may hold a thousand (CWE-779). */
const MAX_LOGGED_TYPES = 10;

/** A publish under way. */
export interface Publishing {
  /** Settles when the app has had its say and the messages are on their way to the disk. Never rejects. */
  readonly isAccepted: Promise<void>;
  /** The messages' ids, once durable. */
  readonly ids: Promise<string[]>;
}

/** The same for who wants to know what came of it. */
export interface Appending {
  readonly isAccepted: Promise<void>;
  /** Once durable; a producer of Durable Streams may be refused. */
  readonly result: Promise<Appended | Refused | StreamRefused>;
}

/**
 * Publishes drafts, from whomever and however they came: checks them against the channel's schemas, shows a
 * client's to the app where the channel asks for it, stores them together. The app is not shown a repeat of what
 * is stored.
 *
 * @throws {ChanctlError} `message_invalid`, `key_reused` at once; `ids` rejects with these, with the errors of
 *   `showMessage`, `toCurrent` and `Broker.publish`, and with the signal's reason.
 */
export function publish(context: TransportContext, request: Publish): Publishing {
  const { isAccepted, result } = append(context, request);
  return { isAccepted, ids: result.then((stored) => toMessageIds(stored, request)) };
}

/**
 * The same, for who wants to know what came of it.
 *
 * @throws {ChanctlError} `message_invalid` at once; `result` rejects with that, with the errors of
 *   `Authorizer.onPublish` and `Broker.append`, and with the signal's reason.
 */
export function append(context: TransportContext, request: Publish): Appending {
  const { target, drafts } = request;
  assertFits(target, drafts);
  const isShown = target.channel.definition.onPublish && context.audience === "public";
  if (!isShown) return { isAccepted: Promise.resolve(), result: store(context, request, drafts) };
  const known = recall(context, request);
  if (known !== undefined) return { isAccepted: Promise.resolve(), result: Promise.resolve(known) };
  const accepted = unlessAborted(showAll(context, request), request.signal);
  return {
    isAccepted: accepted.then(
      () => {},
      () => {},
    ),
    // What was checked before the app was asked may hold no more (CWE-367).
    result: accepted.then((shown) => {
      const current = { ...request, target: toCurrent(context.registry, target) };
      assertFits(current.target, shown);
      return store(context, current, shown);
    }),
  };
}

function recall(
  context: TransportContext,
  { target, drafts, grant, key }: Publish,
): Appended | Refused | undefined {
  if (key === undefined) return undefined;
  return context.broker.recall({
    path: target.path,
    publisher: publisherOf(context, grant),
    key,
    sent: drafts,
  });
}

/** The promise's value, unless the signal aborts first; it then rejects with the reason. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** @throws {ChanctlError} `message_invalid`, which of a batch says which. */
function assertFits(target: ChannelTarget, drafts: readonly Draft[]): void {
  for (const [index, draft] of drafts.entries()) {
    if (drafts.length === 1) assertFit(target, draft);
    else atIndex({ index, prefix: `message ${index}: ` }, () => assertFit(target, draft));
  }
}

/** What the log may say of it is the type and the schema's reason: no value of the data (CWE-532). */
function assertFit({ channel, path }: ChannelTarget, { type, dataText }: Draft): void {
  try {
    channel.checkMessage({ type, data: JSON.parse(dataText) });
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    const { code, message, hint, fields } = error;
    const reason = channel.hasType(type) ? `type \`${clip(type)}\`: ${message}` : message;
    const came = typeof fields["got"] === "string" ? `, got ${fields["got"]}` : "";
    throw new ChanctlError(code, message + came, {
      cause: error,
      logged: { path, reason },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

async function store(
  context: TransportContext,
  request: Publish,
  accepted: readonly Draft[],
): Promise<Appended | Refused | StreamRefused> {
  const { target, drafts, grant, key, producer, seq } = request;
  const { definition } = target.channel;
  const startedAt = performance.now();
  const result = await context.broker.append({
    path: target.path,
    channel: definition.name,
    lifecycle: definition.lifecycle,
    drafts: accepted,
    sent: drafts,
    publisher: publisherOf(context, grant),
    ...(key === undefined ? {} : { key }),
    ...(producer === undefined ? {} : { producer }),
    ...(seq === undefined ? {} : { seq }),
  });
  if (result.kind === "refused") return result;
  context.logger({
    level: "info",
    event: "publish",
    message: `publish ${target.path}`,
    fields: {
      path: target.path,
      types: [...new Set(accepted.map(({ type }) => type))].slice(0, MAX_LOGGED_TYPES),
      messages: accepted.length,
      from: grant.subject,
      subscribers: context.broker.liveCount(target.path),
      durationMs: performance.now() - startedAt,
    },
  });
  return result;
}

/** One after the other: the app sees the messages of a batch in their order. */
async function showAll(context: TransportContext, request: Publish): Promise<Draft[]> {
  const accepted: Draft[] = [];
  for (const draft of request.drafts) {
    request.signal.throwIfAborted();
    accepted.push(await showMessage(context, { ...request, draft }));
  }
  return accepted;
}

/** @throws {ChanctlError} `transport_forbidden` where clients may not publish. */
export function assertClientsMayPublish(context: TransportContext, { channel }: ChannelTarget): void {
  if (context.audience === "internal" || channel.definition.transport === "ws") return;
  throw new ChanctlError(
    "transport_forbidden",
    `clients may only read the channel \`${channel.definition.name}\``,
  );
}
