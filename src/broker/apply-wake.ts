import { JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import type { SubscriptionTables } from "./apply-subscription.ts";
import type { StreamRecord } from "./stream-table.ts";
import type {
  DeliveredOperation,
  DeliveryFailedOperation,
  EndLeaseOperation,
  NotWoken,
  SubscriptionChanged,
  WakeEvent,
  WakeOperation,
  Woken,
} from "./subscription-operation.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";

type Unchanged = { readonly kind: "unchanged" };

/**
 * Makes the part of `apply` that wakes subscriptions, ends their leases and notes what became of their webhooks.
 *
 * @see PROTOCOL.md, section 7
 */
export function createWakeApply({ streams, subscriptions, links }: SubscriptionTables): {
  readonly wake: (operation: WakeOperation) => Woken | NotWoken | Unchanged;
  readonly endLease: (operation: EndLeaseOperation) => SubscriptionChanged | Unchanged;
  readonly delivered: (operation: DeliveredOperation) => SubscriptionChanged | Unchanged;
  readonly deliveryFailed: (operation: DeliveryFailedOperation) => SubscriptionChanged | Unchanged;
} {
  return { wake, endLease, delivered, deliveryFailed };

  function wake({
    subscription: incarnation,
    generation,
    time,
  }: WakeOperation): Woken | NotWoken | Unchanged {
    const subscription = subscriptions.byIncarnation(incarnation);
    if (subscription?.generation !== generation || subscription.state !== "idle")
      return { kind: "unchanged" };
    const stream = links.firstPending(incarnation);
    if (stream === undefined) {
      // The work that an attempt was put off for is gone with its stream.
      if (subscription.nextAttemptAt !== null)
        subscriptions.update(subscription, { nextAttemptAt: null, failures: 0 });
      return { kind: "unchanged" };
    }
    const next = { generation: generation + 1 };
    if (subscription.type === "webhook") {
      const leaseEndsAt = time + subscription.leaseTtlMs;
      subscriptions.update(subscription, { ...next, state: "leased", leaseEndsAt, nextAttemptAt: time });
      return { kind: "woken", subscription: incarnation, ...next };
    }
    const wakeStream = writableWakeStream(subscription);
    // Nobody could hear of it. It is due again when the stream is created, and may be claimed meanwhile.
    if (wakeStream === undefined) return { kind: "not-woken", wakeStream: subscription.wakeStream ?? "" };
    subscriptions.update(subscription, { ...next, state: "woken" });
    const event = writeEvent(wakeStream, { ...subscription, ...next }, { stream, time });
    return { kind: "woken", subscription: incarnation, ...next, event };
  }

  function writableWakeStream({ wakeStream }: SubscriptionRecord): StreamRecord | undefined {
    const stream = wakeStream === null ? undefined : streams.byPath(wakeStream);
    const isWritable =
      stream?.isClosed === 0 && stream.isDeleted === 0 && stream.mediaType === JSON_MEDIA_TYPE;
    return isWritable ? stream : undefined;
  }

  /** In the transaction of the wake: there is never one without the other. */
  function writeEvent(
    wakeStream: StreamRecord,
    { id, generation }: SubscriptionRecord,
    { stream, time: ts }: { stream: string; time: number },
  ): WakeEvent {
    const { path, incarnation, tail: first, lastTime } = wakeStream;
    const body = JSON.stringify({
      type: "wake",
      subscription_id: id,
      stream: stream.slice(1),
      generation,
      ts,
    });
    const time = Math.max(ts, lastTime);
    streams.append(wakeStream, [body], time);
    links.noteAppended(path);
    return { path, incarnation, first, body, time };
  }

  function endLease({ subscription, generation, leaseEndsAt }: EndLeaseOperation) {
    const record = leased(subscription, generation);
    if (record?.leaseEndsAt !== leaseEndsAt) return unchanged;
    // The retry schedule stays: the next wake goes by it.
    const isUndelivered = record.failures > 0;
    return end(record, { nextAttemptAt: isUndelivered ? record.nextAttemptAt : null });
  }

  function delivered({ subscription, generation, done }: DeliveredOperation) {
    const record = leased(subscription, generation);
    if (record === undefined) return unchanged;
    const isActive = { nextAttemptAt: null, failures: 0 };
    if (done === undefined) {
      subscriptions.update(record, isActive);
      return { kind: "subscription-changed" as const, subscription, isDue: false };
    }
    for (const { stream, incarnation, position } of done) {
      const link = links.find(subscription, stream);
      if (link?.incarnation === incarnation && position > link.acked)
        links.advance(subscription, { path: stream, position });
    }
    return end(record, isActive);
  }

  function deliveryFailed({ subscription, generation, failures, nextAttemptAt }: DeliveryFailedOperation) {
    const record = leased(subscription, generation);
    // Who has called back has taken it, whatever became of the connection.
    if (record?.failures !== failures || record.nextAttemptAt === null) return unchanged;
    subscriptions.update(record, { nextAttemptAt, failures: failures + 1 });
    return { kind: "subscription-changed" as const, subscription, isDue: false };
  }

  function leased(incarnation: number, generation: number): SubscriptionRecord | undefined {
    const record = subscriptions.byIncarnation(incarnation);
    return record?.state === "leased" && record.generation === generation ? record : undefined;
  }

  function end(
    record: SubscriptionRecord,
    change: { readonly nextAttemptAt: number | null; readonly failures?: number },
  ): SubscriptionChanged {
    const { incarnation } = record;
    subscriptions.update(record, { state: "idle", holder: null, leaseEndsAt: null, ...change });
    return {
      kind: "subscription-changed",
      subscription: incarnation,
      isDue: links.hasPending(incarnation),
    };
  }
}

const unchanged: Unchanged = { kind: "unchanged" };
