import type { createApply } from "#src/broker/apply.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import { Choices } from "./choices.ts";
import { openMemoryStore } from "./memory-store.ts";
import type { MemoryStore } from "./memory-store.ts";
import { NOON } from "./operations.ts";
import { create, subscribe, write } from "./subscriptions.ts";

/** What is simulated: the real `apply`, or one with a fault in it. */
export interface ApplyCode {
  readonly createApply: typeof createApply;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
}

interface SubscriptionRow {
  readonly incarnation: number;
  readonly id: string;
  readonly type: string;
  readonly pattern: string | null;
  readonly state: string;
  readonly generation: number;
  readonly lease_ends_at: number | null;
  readonly failures: number;
}

interface LinkRow {
  readonly subscription: number;
  readonly path: string;
  readonly incarnation: number;
  readonly acked: number;
  readonly is_glob: number;
  readonly is_pending: number;
}

interface StreamRow {
  readonly path: string;
  readonly incarnation: number;
  readonly tail: number;
}

interface Rows {
  readonly subscriptions: SubscriptionRow[];
  readonly subscription_links: LinkRow[];
  readonly streams: StreamRow[];
}

/** Somebody who was given a wake: a worker with its token, or a webhook with the snapshot that it was told. */
interface Hold {
  readonly id: string;
  readonly subscription: number;
  readonly generation: number;
  readonly snapshot: readonly { stream: string; incarnation: number; position: number }[];
}

const IDS = ["pull", "hook"];
const PATHS = ["/events/a", "/events/b", "/manual/c"];

/**
 * Workers, webhooks, publishers and a scheduler do what comes into their heads, late and twice too, and after each step
 * the store must hold what the protocol promises (sections 6.2 and 7.3).
 *
 * @returns what the store did that it must not; `undefined` if nothing.
 */
export function simulateSubscriptions(
  code: ApplyCode,
  { seed, steps }: SimulationOptions,
): string | undefined {
  const choices = new Choices(seed);
  const store = openMemoryStore(code);
  const log: Operation[] = [];
  const holds: Hold[] = [];
  /** By incarnation, whose call would count now. */
  const current = new Map<number, Hold>();
  const claimed = new Set<string>();
  let time = NOON;

  store.apply(create("/wake/pool"));
  log.push(create("/wake/pool"));
  for (let step = 0; step < steps; step += 1) {
    time += 1;
    const before = rowsOf(store);
    const { operation, hold } = choose(before);
    log.push(operation);
    const [result] = store.apply(operation);
    const after = rowsOf(store);
    const violation = judge({ operation, hold, result, before, after });
    if (violation !== undefined) return `step ${step}, ${JSON.stringify(operation)}: ${violation}`;
  }
  const replayed = openMemoryStore(code);
  for (const operation of log) replayed.apply(operation);
  return JSON.stringify(replayed.dump()) === JSON.stringify(store.dump()) ? undefined : "a replay differs";

  function choose(rows: Rows): { operation: Operation; hold?: Hold } {
    const path = choices.oneOf(PATHS);
    const id = choices.oneOf(IDS);
    const row = rows.subscriptions.find((each) => each.id === id);
    const subscription = row?.incarnation ?? 0;
    // Mostly whoever is at it; often enough somebody who was.
    const holder = choices.chance(0.6) ? row && current.get(row.incarnation) : choices.anyOf(holds);
    const choice = choices.fraction();
    if (choice < 0.15) return { operation: { ...write(path, "1"), time } };
    if (choice < 0.23) return { operation: create(path, { time, bodies: choices.chance(0.5) ? ["1"] : [] }) };
    if (choice < 0.27) return { operation: { kind: "delete", path } };
    if (choice < 0.33) return { operation: toSubscribe(id) };
    if (choice < 0.34) return { operation: { kind: "unsubscribe", subscription } };
    if (choice < 0.36) return { operation: { kind: "link-streams", subscription, streams: [path] } };
    if (choice < 0.37) return { operation: { kind: "unlink-stream", subscription, stream: path } };
    if (choice < 0.47) return { operation: { kind: "claim", subscription, worker: "w", time } };
    if (row !== undefined && choice < 0.6) {
      const generation = row.generation - (choices.chance(0.2) ? 1 : 0);
      return { operation: { kind: "wake", subscription: row.incarnation, generation, time } };
    }
    if (row !== undefined && choice < 0.64) {
      const leaseEndsAt = (row.lease_ends_at ?? time) - (choices.chance(0.3) ? 1 : 0);
      const { incarnation: subscription, generation } = row;
      return { operation: { kind: "end-lease", subscription, generation, leaseEndsAt } };
    }
    if (holder === undefined) return { operation: { ...write(path, "1"), time } };
    return { operation: toCall(holder, rows), hold: holder };
  }

  function toSubscribe(id: string): Operation {
    const type = id === "hook" ? "webhook" : "pull-wake";
    return subscribe({ id, time, config: { type, pattern: "events/*" }, streams: ["/manual/c"] });
  }

  function toCall({ id, subscription, generation, snapshot }: Hold, rows: Rows): Operation {
    const wakeId = `w_${subscription}_${generation}`;
    const wake = { id, subscription, tokenGeneration: generation, generation, wakeId };
    const choice = choices.fraction();
    if (choice < 0.15) return { kind: "release", ...wake };
    if (choice < 0.5) {
      const stream = choices.anyOf(rows.streams.filter((each) => PATHS.includes(each.path)));
      const position = stream === undefined ? 0 : choices.below(stream.tail + 2);
      const offset = { incarnation: stream?.incarnation ?? 1, position };
      const acks = stream === undefined ? [] : [{ stream: stream.path, offset }];
      return { kind: "ack", ...wake, acks, isDone: choices.chance(0.5), time };
    }
    if (choice < 0.7) return { kind: "delivered", subscription, generation, done: snapshot };
    if (choice < 0.8) return { kind: "delivered", subscription, generation };
    const failures = rows.subscriptions.find((each) => each.incarnation === subscription)?.failures ?? 0;
    return { kind: "delivery-failed", subscription, generation, failures, nextAttemptAt: time + 1_000 };
  }

  function judge({
    operation,
    hold,
    result,
    before,
    after,
  }: {
    operation: Operation;
    hold: Hold | undefined;
    result: Result | undefined;
    before: Rows;
    after: Rows;
  }): string | undefined {
    if (hold !== undefined && current.get(hold.subscription) !== hold && !isSame(before, after))
      return "a call that was fenced has changed something";
    if (result?.kind === "claimed") {
      const { subscription, generation } = result;
      if (current.has(subscription)) return "a subscription that was held was claimed";
      if (claimed.has(`${subscription}_${generation}`)) return "a generation was given out twice";
      claimed.add(`${subscription}_${generation}`);
      take({ id: "pull", subscription, generation, snapshot: [] });
    }
    if (result?.kind === "woken") {
      const { subscription, generation } = result;
      const row = after.subscriptions.find((each) => each.incarnation === subscription);
      if (row?.type === "webhook") {
        const tails = new Map(after.streams.map(({ path, tail }) => [path, tail]));
        const links = after.subscription_links.filter((link) => link.subscription === subscription);
        const snapshot = links.map(({ path: stream, incarnation }) => ({
          stream,
          incarnation,
          position: tails.get(stream) ?? 0,
        }));
        take({ id: "hook", subscription, generation, snapshot });
      }
    }
    for (const { incarnation, state } of after.subscriptions)
      if (state !== "leased") current.delete(incarnation);
    for (const subscription of current.keys()) {
      if (!after.subscriptions.some(({ incarnation }) => incarnation === subscription))
        current.delete(subscription);
    }
    return judgeRows({ operation, before, after });
  }

  function take(hold: Hold): void {
    holds.push(hold);
    current.set(hold.subscription, hold);
  }
}

function judgeRows({
  operation,
  before,
  after,
}: {
  operation: Operation;
  before: Rows;
  after: Rows;
}): string | undefined {
  const streams = new Map(after.streams.map((stream) => [stream.path, stream]));
  for (const link of after.subscription_links) {
    const { path, incarnation, acked } = link;
    const stream = streams.get(path);
    if (incarnation !== (stream?.incarnation ?? 0)) return `the cursor of ${path} is in another life`;
    if (acked > (stream?.tail ?? 0)) return `the cursor of ${path} is beyond the tail`;
    if ((link.is_pending === 1) !== (stream?.tail ?? 0) > acked)
      return `${path} is pending, or not, by mistake`;
    const earlier = before.subscription_links.find(
      (each) => each.subscription === link.subscription && each.path === path,
    );
    if (earlier?.incarnation === incarnation && acked < earlier.acked)
      return `the cursor of ${path} went back`;
    const isAcknowledging = operation.kind === "ack" || operation.kind === "delivered";
    if (earlier?.incarnation === incarnation && acked > earlier.acked && !isAcknowledging)
      return `the cursor of ${path} moved by itself`;
    if (earlier === undefined && operation.kind === "create" && acked !== 0)
      return `${path} was linked after its first append`;
  }
  for (const { incarnation, pattern, generation } of after.subscriptions) {
    const earlier = before.subscriptions.find((each) => each.incarnation === incarnation);
    if (earlier !== undefined && generation < earlier.generation) return "a generation went back";
    const globbed = after.subscription_links.filter(
      ({ subscription, is_glob }) => subscription === incarnation && is_glob === 1,
    );
    const matching = [...streams.keys()].filter((path) => path.startsWith("/events/"));
    if (pattern !== null && globbed.length !== matching.length)
      return "the pattern does not cover what it must";
  }
  return undefined;
}

function rowsOf(store: MemoryStore): Rows {
  return store.dump("subscriptions", "subscription_links", "streams") as unknown as Rows;
}

function isSame(before: Rows, after: Rows): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
