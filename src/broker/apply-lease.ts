import type { SubscriptionTables } from "./apply-subscription.ts";
import type { Offset } from "../protocol/offset.ts";
import { positionIn } from "./stream-chain.ts";
import type {
  AckOperation,
  Claimed,
  ClaimOperation,
  ReleaseOperation,
  SubscriptionChanged,
  SubscriptionRefusal,
  SubscriptionRefused,
  WakeHold,
} from "./subscription-operation.ts";
import { wakeIdOf } from "./subscription-record.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import { MAX_SNAPSHOT } from "./subscription-snapshot.ts";

type Acked = SubscriptionChanged | SubscriptionRefused;

/**
 * Makes the part of `apply` that gives out leases, and takes from their holders what they have done.
 *
 * @see PROTOCOL.md, sections 7.1 to 7.3
 */
export function createLeaseApply({ streams, subscriptions, links }: SubscriptionTables): {
  readonly claim: (operation: ClaimOperation) => Claimed | SubscriptionRefused;
  readonly ack: (operation: AckOperation) => Acked;
  readonly release: (operation: ReleaseOperation) => Acked;
} {
  return { claim, ack, release };

  function claim({ subscription: asked, worker, time }: ClaimOperation): Claimed | SubscriptionRefused {
    const subscription = subscriptions.byIncarnation(asked);
    if (subscription === undefined) return refused({ reason: "unknown" });
    const { incarnation, type, state, holder, leaseTtlMs } = subscription;
    if (type !== "pull-wake") return refused({ reason: "type", type });
    if (state === "leased")
      return refused({ reason: "claimed", holder: holder ?? "", generation: subscription.generation });
    if (!links.hasPending(incarnation)) {
      // Whoever read the wake has come for nothing, and nobody comes for it again: what is new needs another one.
      if (state === "woken") subscriptions.update(subscription, { state: "idle" });
      return refused({ reason: "no-pending-work" });
    }
    // A worker that asks without having been woken begins a generation as a wake does.
    const generation = state === "woken" ? subscription.generation : subscription.generation + 1;
    subscriptions.update(subscription, {
      state: "leased",
      generation,
      holder: worker,
      leaseEndsAt: time + leaseTtlMs,
    });
    return {
      kind: "claimed",
      subscription: incarnation,
      generation,
      wakeId: wakeIdOf({ incarnation, generation }),
      leaseTtlMs,
      streams: links.snapshot(incarnation, MAX_SNAPSHOT),
    };
  }

  function ack(operation: AckOperation): Acked {
    const subscription = held(operation);
    if ("reason" in subscription) return refused(subscription);
    const { incarnation, leaseTtlMs } = subscription;
    const cursors = new Map<string, number>();
    for (const { stream: path, offset } of operation.acks) {
      // One call's acks are judged one after the other, as those of several calls are.
      const position = judge(incarnation, { path, offset, acked: cursors.get(path) });
      if (typeof position !== "number") return refused(position);
      cursors.set(path, position);
    }
    for (const [path, position] of cursors) links.advance(incarnation, { path, position });
    // A call for a wake says that it has arrived, whatever became of the webhook's connection.
    const isActive = { nextAttemptAt: null, failures: 0 };
    if (operation.isDone) return end(subscription, isActive);
    subscriptions.update(subscription, { ...isActive, leaseEndsAt: operation.time + leaseTtlMs });
    return { kind: "subscription-changed", subscription: incarnation, isDue: false };
  }

  function release(operation: ReleaseOperation): Acked {
    const subscription = held(operation);
    return "reason" in subscription ? refused(subscription) : end(subscription, {});
  }

  /** Fencing: every one of these must be of the wake that the subscription is in (section 7.3). */
  function held(hold: WakeHold): SubscriptionRecord | SubscriptionRefusal {
    const subscription = subscriptions.byId(hold.id);
    if (subscription === undefined) return { reason: "unknown" };
    if (subscription.incarnation !== hold.subscription) return { reason: "token" };
    const isHeld =
      subscription.state === "leased" &&
      hold.tokenGeneration === subscription.generation &&
      hold.generation === subscription.generation &&
      hold.wakeId === wakeIdOf(subscription);
    return isHeld ? subscription : { reason: "fenced" };
  }

  /**
   * Where an ack moves its cursor to, from `acked` or from where it is. All of a call's acks count, or none: a cursor
   * never goes back or beyond the tail.
   */
  function judge(
    subscription: number,
    {
      path,
      offset,
      acked,
    }: { readonly path: string; readonly offset: Offset; readonly acked: number | undefined },
  ): number | SubscriptionRefusal {
    const refuse = (what: string): SubscriptionRefusal => ({ reason: "offset", stream: path, what });
    const link = links.find(subscription, path);
    if (link === undefined) return refuse("the subscription has no such stream");
    const stream = streams.byPath(path);
    if (stream === undefined || stream.incarnation !== link.incarnation)
      return refuse("there is no such stream");
    const position = positionIn(streams.chainOf(stream), offset);
    if (position === undefined)
      return refuse("it is beyond the tail, or was never given out for this stream");
    return position < (acked ?? link.acked) ? refuse("more than that is acknowledged already") : position;
  }

  function end(
    subscription: SubscriptionRecord,
    change: { readonly nextAttemptAt?: null; readonly failures?: number },
  ): SubscriptionChanged {
    const { incarnation } = subscription;
    subscriptions.update(subscription, { state: "idle", holder: null, leaseEndsAt: null, ...change });
    return {
      kind: "subscription-changed",
      subscription: incarnation,
      isDue: links.hasPending(incarnation),
    };
  }
}

function refused(refusal: SubscriptionRefusal): SubscriptionRefused {
  return { kind: "subscription-refused", ...refusal };
}
