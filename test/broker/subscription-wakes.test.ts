import { describe, expect, it } from "vitest";
import type { Claimed } from "#src/broker/subscription-operation.ts";
import { openMemoryStore } from "../support/memory-store.ts";
import type { MemoryStore } from "../support/memory-store.ts";
import { NOON, resultOf } from "../support/operations.ts";
import { ack, create, incarnationOf, subscribe, write } from "../support/subscriptions.ts";

const WEBHOOK = subscribe({ config: { type: "webhook" } });

interface Row {
  readonly incarnation: number;
  readonly state: string;
  readonly generation: number;
  readonly holder: string | null;
  readonly lease_ends_at: number | null;
  readonly next_attempt_at: number | null;
  readonly failures: number;
}

function rowOf(store: MemoryStore): Row {
  return store.dump()["subscriptions"]?.[0] as Row;
}

function cursorOf(store: MemoryStore): number {
  const [link] = store.dump()["subscription_links"] as { acked: number }[];
  return link?.acked ?? Number.NaN;
}

/** A store with a subscription and one pending message; it is subscription 2 and stream 3, or 1 and 2 of a webhook. */
function pendingStore(subscription = subscribe()): MemoryStore {
  const store = openMemoryStore();
  if (subscription.config.type === "pull-wake") store.apply(create("/wake/pool"));
  store.apply(subscription, create("/events/a", { bodies: ["1"] }));
  return store;
}

function wake(store: MemoryStore) {
  const { incarnation: subscription, generation } = rowOf(store);
  return store.apply({ kind: "wake", subscription, generation, time: NOON })[0];
}

function claim(store: MemoryStore, worker = "worker-1"): Claimed {
  return resultOf(
    "claimed",
    store.apply({ kind: "claim", subscription: incarnationOf(store), worker, time: NOON })[0],
  );
}

describe("a subscription (6.2)", () => {
  it("is confirmed by the same configuration and refused with another", () => {
    const store = openMemoryStore();
    const [first, second, third] = store.apply(subscribe(), subscribe(), subscribe({ configHash: "b" }));
    expect(first).toMatchObject({ kind: "subscribed", isNew: true });
    expect(second).toMatchObject({ kind: "subscribed", isNew: false });
    expect(third).toMatchObject({ kind: "subscription-refused", reason: "exists" });
  });

  it("that was made again is not claimed, changed or deleted by who meant the one before (6.3)", () => {
    const store = pendingStore();
    const subscription = incarnationOf(store);
    store.apply({ kind: "unsubscribe", subscription }, subscribe(), write("/events/a", "2"));
    const before = store.dump();
    const results = store.apply(
      { kind: "claim", subscription, worker: "w", time: NOON },
      { kind: "link-streams", subscription, streams: ["/manual/a"] },
      { kind: "unlink-stream", subscription, stream: "/events/a" },
      { kind: "unsubscribe", subscription },
    );
    for (const result of results) expect(result).toMatchObject({ reason: "unknown" });
    expect(store.dump()).toEqual(before);
  });

  it("that was deleted takes no token of its earlier life when it is made again (6.3)", () => {
    const store = pendingStore();
    const claimed = claim(store);
    store.apply({ kind: "unsubscribe", subscription: incarnationOf(store) });
    const [gone] = store.apply(ack(claimed));
    store.apply(subscribe(), write("/events/a", "2"));
    claim(store);
    const [other] = store.apply(ack(claimed));
    expect([gone, other]).toMatchObject([{ reason: "unknown" }, { reason: "token" }]);
    expect(cursorOf(store)).toBe(1);
  });
});

describe("a wake (7)", () => {
  it("begins a generation and writes its event in the same commit (7.2)", () => {
    const store = pendingStore();
    expect(wake(store)).toMatchObject({ kind: "woken", generation: 1 });
    const events = (store.dump()["messages"] as { incarnation: number; body: string }[]).filter(
      ({ incarnation }) => incarnation === 1,
    );
    expect(events.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { type: "wake", subscription_id: "sub", stream: "events/a", generation: 1, ts: NOON },
    ]);
  });

  it("is one, however many notice that it is due", () => {
    const store = pendingStore();
    const operation = { kind: "wake", subscription: 2, generation: 0, time: NOON } as const;
    const [first, second] = store.apply(operation, operation);
    expect([first?.kind, second?.kind]).toEqual(["woken", "unchanged"]);
    expect(wake(store)?.kind, "one in flight").toBe("unchanged");
  });

  it("needs pending work", () => {
    const store = openMemoryStore();
    store.apply(create("/wake/pool"), subscribe(), create("/events/a"));
    expect(wake(store)).toEqual({ kind: "unchanged" });
  });

  it.each([
    ["is not there", []],
    ["is closed", [create("/wake/pool", { closes: true })]],
    ["is not JSON", [create("/wake/pool", { mediaType: "text/plain" })]],
  ])("is not made where its wake stream %s; the work can be claimed", (_why, streams) => {
    const store = openMemoryStore();
    store.apply(subscribe(), ...streams, create("/events/a", { bodies: ["1"] }));
    expect(wake(store)).toEqual({ kind: "not-woken", wakeStream: "/wake/pool" });
    expect(claim(store).generation).toBe(1);
  });

  it("is forgotten with its wake stream if nobody has claimed it", () => {
    const store = pendingStore();
    wake(store);
    store.apply({ kind: "delete", path: "/wake/pool" }, create("/wake/pool"));
    expect(wake(store)).toMatchObject({ kind: "woken", generation: 2 });
  });
});

describe("a claim (7.2)", () => {
  it("is given to one worker, with the wake's generation and what is pending first", () => {
    const store = pendingStore();
    store.apply(create("/events/0"));
    wake(store);
    const claimed = claim(store);
    expect(claimed).toMatchObject({ generation: 1, wakeId: "w_2_1", leaseTtlMs: 30_000 });
    expect(claimed.streams.map(({ stream, isPending }) => [stream, isPending])).toEqual([
      ["/events/a", true],
      ["/events/0", false],
    ]);
    const [busy] = store.apply({
      kind: "claim",
      subscription: incarnationOf(store),
      worker: "worker-2",
      time: NOON,
    });
    expect(busy).toMatchObject({ reason: "claimed", holder: "worker-1", generation: 1 });
  });

  it("begins a generation itself where no wake is in flight", () => {
    expect(claim(pendingStore()).generation).toBe(1);
  });

  it("without pending work is refused, and the next append wakes again", () => {
    const store = pendingStore();
    wake(store);
    store.apply({ kind: "delete", path: "/events/a" });
    const [refused] = store.apply({
      kind: "claim",
      subscription: incarnationOf(store),
      worker: "w",
      time: NOON,
    });
    expect(refused).toMatchObject({ reason: "no-pending-work" });
    store.apply(create("/events/a", { bodies: ["1"] }));
    expect(wake(store)).toMatchObject({ kind: "woken", generation: 2 });
  });

  it("is not for a webhook's subscription", () => {
    const store = pendingStore(WEBHOOK);
    const [refused] = store.apply({
      kind: "claim",
      subscription: incarnationOf(store),
      worker: "w",
      time: NOON,
    });
    expect(refused).toMatchObject({ reason: "type", type: "webhook" });
  });
});

describe("an ack (7.2)", () => {
  const upTo = (position: number, incarnation = 3) => [
    { stream: "/events/a", offset: { incarnation, position } },
  ];

  it("is inclusive, and says whether more is pending", () => {
    const store = pendingStore();
    store.apply(write("/events/a", "2"));
    const [first] = store.apply(ack(claim(store), { acks: upTo(1) }));
    expect(first).toMatchObject({ kind: "subscription-changed", isDue: true });
    const [second] = store.apply(ack(claim(store), { acks: upTo(2) }));
    expect(second).toMatchObject({ isDue: false });
    expect(rowOf(store)).toMatchObject({ state: "idle", holder: null, lease_ends_at: null });
  });

  it("without `done` extends the lease and keeps the claim", () => {
    const store = pendingStore();
    const claimed = claim(store);
    store.apply(ack(claimed, { acks: upTo(1), isDone: false, time: NOON + 20_000 }));
    expect(rowOf(store)).toMatchObject({ state: "leased", lease_ends_at: NOON + 50_000 });
    expect(cursorOf(store)).toBe(1);
  });

  it("leaves what was appended meanwhile for the next wake", () => {
    const store = pendingStore();
    wake(store);
    const claimed = claim(store);
    store.apply(write("/events/a", "2"));
    expect(wake(store)?.kind).toBe("unchanged");
    const [result] = store.apply(ack(claimed, { acks: upTo(1) }));
    expect(result).toMatchObject({ isDue: true });
    expect(wake(store)).toMatchObject({ kind: "woken", generation: 2 });
  });

  it("of one stream twice is as two calls are: onwards counts, back is refused", () => {
    const store = pendingStore();
    store.apply(write("/events/a", "2", "3"));
    const claimed = claim(store);
    const [back] = store.apply(ack(claimed, { acks: [...upTo(3), ...upTo(1)], isDone: false }));
    expect(back).toMatchObject({ kind: "subscription-refused", reason: "offset" });
    expect(cursorOf(store)).toBe(0);
    const [onwards] = store.apply(ack(claimed, { acks: [...upTo(1), ...upTo(3), ...upTo(3)] }));
    expect(onwards).toMatchObject({ kind: "subscription-changed", isDue: false });
    expect(cursorOf(store)).toBe(3);
  });

  it.each([
    ["beyond the tail", upTo(9)],
    ["of another stream's life", upTo(1, 1)],
    ["of a stream that it does not have", [{ stream: "/other", offset: { incarnation: 3, position: 1 } }]],
    ["back", upTo(0)],
  ])("%s is refused, and none of the call counts", (_what, acks) => {
    const store = pendingStore();
    store.apply(write("/events/a", "2"));
    const claimed = claim(store);
    store.apply(ack(claimed, { acks: upTo(1), isDone: false }));
    const before = store.dump();
    const [result] = store.apply(ack(claimed, { acks: [...upTo(2), ...acks] }));
    expect(result).toMatchObject({ kind: "subscription-refused", reason: "offset" });
    expect(store.dump()).toEqual(before);
  });
});

describe("fencing (7.3)", () => {
  it.each([
    ["the token's generation", { tokenGeneration: 7 }],
    ["the request's generation", { generation: 7 }],
    ["the wake's id", { wakeId: "w_2_7" }],
  ])("refuses another %s than the current", (_what, change) => {
    const store = pendingStore();
    const claimed = claim(store);
    const before = store.dump();
    const [acked] = store.apply(ack(claimed, change));
    const [released] = store.apply({ ...ack(claimed, change), kind: "release" });
    expect([acked, released]).toMatchObject([{ reason: "fenced" }, { reason: "fenced" }]);
    expect(store.dump()).toEqual(before);
  });

  it("refuses whoever held a lease that is over, before and after the next claim", () => {
    const store = pendingStore();
    const late = claim(store);
    const endLease = {
      kind: "end-lease",
      subscription: 2,
      generation: 1,
      leaseEndsAt: NOON + 30_000,
    } as const;
    const [ended] = store.apply(endLease);
    expect(ended).toMatchObject({ kind: "subscription-changed", isDue: true });
    const [first] = store.apply(ack(late, { acks: [] }));
    claim(store, "worker-2");
    const [second] = store.apply(ack(late, { acks: [] }));
    expect([first, second]).toMatchObject([{ reason: "fenced" }, { reason: "fenced" }]);
    expect(rowOf(store)).toMatchObject({ holder: "worker-2", generation: 2 });
  });

  it("ends no lease that was extended", () => {
    const store = pendingStore();
    const claimed = claim(store);
    store.apply(ack(claimed, { isDone: false, time: NOON + 1 }));
    const [result] = store.apply({
      kind: "end-lease",
      subscription: 2,
      generation: 1,
      leaseEndsAt: NOON + 30_000,
    });
    expect(result).toEqual({ kind: "unchanged" });
    expect(rowOf(store).holder).toBe("worker-1");
  });

  it("lets a worker give the work back, once", () => {
    const store = pendingStore();
    const release = { ...ack(claim(store)), kind: "release" } as const;
    const [first, second] = store.apply(release, release);
    expect(first).toMatchObject({ kind: "subscription-changed", isDue: true });
    expect(second).toMatchObject({ reason: "fenced" });
  });
});

describe("a webhook's delivery (7.1)", () => {
  const of = { subscription: 1, generation: 1 };

  it("is due with the wake, and the lease runs from then", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    expect(rowOf(store)).toMatchObject({
      state: "leased",
      next_attempt_at: NOON,
      lease_ends_at: NOON + 30_000,
    });
  });

  it("that was taken leaves the lease to the worker", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    store.apply({ kind: "delivered", ...of });
    expect(rowOf(store)).toMatchObject({ state: "leased", next_attempt_at: null });
  });

  it("that is done acknowledges what it told of, and no stream that came anew since", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    const done = [{ stream: "/events/a", incarnation: 2, position: 1 }];
    store.apply(write("/events/a", "2"));
    const [more] = store.apply({ kind: "delivered", ...of, done });
    expect(more).toMatchObject({ isDue: true });
    expect(cursorOf(store)).toBe(1);
    wake(store);
    store.apply({ kind: "delete", path: "/events/a" }, create("/events/a", { bodies: ["1", "2"] }));
    store.apply({ kind: "delivered", ...of, generation: 2, done });
    expect(cursorOf(store)).toBe(0);
    expect(rowOf(store).state).toBe("idle");
  });

  it("that failed is put off, and the schedule outlives the lease", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    const failed = { kind: "delivery-failed", ...of, failures: 0, nextAttemptAt: NOON + 1_000 } as const;
    store.apply(failed, failed);
    expect(rowOf(store)).toMatchObject({ failures: 1, next_attempt_at: NOON + 1_000, state: "leased" });
    store.apply({ kind: "end-lease", ...of, leaseEndsAt: NOON + 30_000 });
    expect(rowOf(store)).toMatchObject({ failures: 1, next_attempt_at: NOON + 1_000, state: "idle" });
    wake(store);
    store.apply({ kind: "delivery-failed", ...of, generation: 2, failures: 1, nextAttemptAt: NOON + 2_000 });
    expect(rowOf(store)).toMatchObject({ failures: 2, generation: 2 });
    store.apply({ kind: "delivered", ...of, generation: 2 });
    expect(rowOf(store)).toMatchObject({ failures: 0, next_attempt_at: null });
  });

  it("has not failed if its worker has called back, whatever became of the connection", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    const held = { subscription: 1, generation: 1, wakeId: "w_1_1" };
    store.apply(ack(held, { isDone: false }));
    store.apply({ kind: "delivery-failed", ...of, failures: 0, nextAttemptAt: NOON + 1_000 });
    expect(rowOf(store)).toMatchObject({ failures: 0, next_attempt_at: null });
  });

  it("is off the schedule when its work is gone with its stream", () => {
    const store = pendingStore(WEBHOOK);
    wake(store);
    store.apply({ kind: "delivery-failed", ...of, failures: 0, nextAttemptAt: NOON + 1_000 });
    store.apply({ kind: "end-lease", ...of, leaseEndsAt: NOON + 30_000 });
    store.apply({ kind: "delete", path: "/events/a" });
    wake(store);
    expect(rowOf(store)).toMatchObject({ failures: 0, next_attempt_at: null, generation: 1 });
  });
});

describe("the signing key (6.5)", () => {
  it("is the first that was proposed", () => {
    const store = openMemoryStore();
    const results = store.apply(
      { kind: "set-signing-key", privateKey: "one" },
      { kind: "set-signing-key", privateKey: "two" },
    );
    expect(results).toEqual([
      { kind: "signing-key", privateKey: "one" },
      { kind: "signing-key", privateKey: "one" },
    ]);
  });
});
