import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import type { StreamTable } from "./stream-table.ts";
import type { SubscriptionLinks } from "./subscription-links.ts";
import type {
  LinkStreamsOperation,
  SubscribeOperation,
  Subscribed,
  SubscriptionChanged,
  SubscriptionRefusal,
  SubscriptionRefused,
  UnlinkStreamOperation,
  UnsubscribeOperation,
} from "./subscription-operation.ts";
import type { SubscriptionTable } from "./subscription-table.ts";

/** How many subscriptions a store has at most: each append may wake all of them. */
const MAX_SUBSCRIPTIONS = 10_000;
/** How many streams a subscription names at most; its pattern may cover any number. */
const MAX_NAMED = 10_000;

/** What the parts of `apply` that are about subscriptions work on. */
export interface SubscriptionTables {
  readonly streams: StreamTable;
  readonly subscriptions: SubscriptionTable;
  readonly links: SubscriptionLinks;
}

type Configured = Subscribed | SubscriptionChanged | SubscriptionRefused;

/**
 * Makes the part of `apply` that creates, changes and deletes subscriptions.
 *
 * @see PROTOCOL.md, sections 6.2 to 6.4
 */
export function createSubscriptionApply(
  { streams, subscriptions, links }: SubscriptionTables,
  nextIncarnation: () => number,
): {
  readonly subscribe: (operation: SubscribeOperation) => Configured;
  readonly unsubscribe: (operation: UnsubscribeOperation) => Configured;
  readonly linkStreams: (operation: LinkStreamsOperation) => Configured;
  readonly unlinkStream: (operation: UnlinkStreamOperation) => Configured;
} {
  return { subscribe, unsubscribe, linkStreams, unlinkStream };

  function subscribe(operation: SubscribeOperation): Configured {
    const existing = subscriptions.byId(operation.id);
    if (existing !== undefined) {
      if (existing.configHash !== operation.configHash) return refused({ reason: "exists" });
      // Who confirms it may have come by another name: the one that works now is told to workers.
      if (existing.baseUrl !== operation.baseUrl)
        subscriptions.setBaseUrl(existing.incarnation, operation.baseUrl);
      return { kind: "subscribed", subscription: existing.incarnation, isNew: false };
    }
    const refusal = judge(operation);
    if (refusal !== undefined) return refused(refusal);
    const subscription = nextIncarnation();
    const { pattern, wakeStream } = operation.config;
    subscriptions.insert(subscription, operation);
    if (wakeStream !== undefined) links.endGlobLinks(wakeStream);
    for (const stream of operation.streams) links.name(subscription, stream);
    if (pattern !== undefined) links.backfill(subscription, pattern);
    return { kind: "subscribed", subscription, isNew: true };
  }

  function judge({ config, streams: named }: SubscribeOperation): SubscriptionRefusal | undefined {
    if (subscriptions.count() >= MAX_SUBSCRIPTIONS) return { reason: "too-many", limit: MAX_SUBSCRIPTIONS };
    if (named.length > MAX_NAMED) return { reason: "too-many-streams", limit: MAX_NAMED };
    const { wakeStream } = config;
    if (wakeStream === undefined) return undefined;
    if (named.includes(wakeStream)) return { reason: "own-wake-stream" };
    // It may be created later; until then workers who ask find the work, and nobody is told of it.
    const stream = streams.byPath(wakeStream);
    return stream === undefined || stream.mediaType === JSON_MEDIA_TYPE
      ? undefined
      : { reason: "wake-stream", mediaType: stream.mediaType };
  }

  function unsubscribe({ subscription }: UnsubscribeOperation): Configured {
    const existing = subscriptions.byIncarnation(subscription);
    if (existing === undefined) return refused({ reason: "unknown" });
    const { incarnation, wakeStream } = existing;
    subscriptions.remove(incarnation);
    links.removeAll(incarnation);
    if (wakeStream !== null) links.resumeGlobLinks(wakeStream);
    return { kind: "subscription-changed", subscription: incarnation, isDue: false };
  }

  function linkStreams({ subscription, streams: named }: LinkStreamsOperation): Configured {
    const existing = subscriptions.byIncarnation(subscription);
    if (existing === undefined) return refused({ reason: "unknown" });
    const { incarnation, wakeStream } = existing;
    if (wakeStream !== null && named.includes(wakeStream)) return refused({ reason: "own-wake-stream" });
    if (links.countNamed(incarnation) + named.length > MAX_NAMED)
      return refused({ reason: "too-many-streams", limit: MAX_NAMED });
    for (const stream of named) links.name(incarnation, stream);
    return { kind: "subscription-changed", subscription: incarnation, isDue: false };
  }

  function unlinkStream({ subscription, stream }: UnlinkStreamOperation): Configured {
    const existing = subscriptions.byIncarnation(subscription);
    if (existing === undefined) return refused({ reason: "unknown" });
    links.unname(existing.incarnation, stream);
    return { kind: "subscription-changed", subscription: existing.incarnation, isDue: false };
  }
}

function refused(refusal: SubscriptionRefusal): SubscriptionRefused {
  return { kind: "subscription-refused", ...refusal };
}
