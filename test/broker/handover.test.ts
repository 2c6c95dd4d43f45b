import { setMaxListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { expect, it, vi } from "vitest";
import type { Broker } from "#src/broker/broker.ts";
import { encodeOffset, parseOffset } from "#src/protocol/offset.ts";
import type { Start } from "#src/protocol/start.ts";
import { CollectingSink } from "../support/collecting-sink.ts";
import { openBroker, publishRequest } from "../support/broker.ts";
import { seededRandom } from "../support/random.ts";

const SUBSCRIBERS = 100;
const MESSAGES = 6_000;
const PUBLISHERS = 32;
const DAY = 86_400_000;

const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

it(`hands ${SUBSCRIBERS} subscribers over while a publisher runs at full speed (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  // A small budget, so that those whose peer stalls fall back to pages again and again.
  const broker = await openBroker({ limits: { ...DEFAULT_LIMITS, maxUnsentBytes: 4_096 } });
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const joined: Joined[] = [];
  const ids: string[] = [];
  const publish = async (): Promise<void> => {
    while (ids.length < MESSAGES) {
      ids.push(...(await broker.publish(publishRequest())));
      const isTime = joined.length < (ids.length * SUBSCRIBERS) / MESSAGES;
      if (isTime && random() < 0.5)
        joined.push(join(broker, { start: anyStart(random, ids), random, leaving }));
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publish));
  const tail = ids.toSorted().at(-1);
  await vi.waitFor(
    () => {
      for (const { sink } of joined) sink.drain();
      for (const { sink, from } of joined) expect(sink.ids.at(-1) ?? from).toBe(tail);
    },
    { timeout: 20_000 },
  );
  leaving.abort();
  await Promise.all(joined.map(({ ended }) => ended));
  expect(joined.length).toBeGreaterThan(SUBSCRIBERS / 2);
  for (const { sink, from } of joined) expect(sink.ids).toEqual(idsBetween(from, tail));
});

interface Joined {
  readonly sink: CollectingSink;
  /** Where reading began. */
  readonly from: string;
  readonly ended: Promise<void>;
}

function join(
  broker: Broker,
  { start, random, leaving }: { start: Start; random: () => number; leaving: AbortController },
): Joined {
  const isStalled = random() < 0.3;
  const sink = new CollectingSink({ encoding: random() < 0.5 ? "ws" : "sse", isStalled });
  const followed = broker.follow({ path: "chat", start, replayWindowMs: () => DAY });
  if (isStalled) void drainNowAndThen(sink, { random, signal: leaving.signal });
  const from = encodeOffset(followed.position);
  return { sink, from, ended: followed.run(sink, leaving.signal).finally(() => followed.close()) };
}

async function drainNowAndThen(
  sink: CollectingSink,
  { random, signal }: { random: () => number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await nextTurn();
    if (random() < 0.05) sink.drain();
  }
}

function anyStart(random: () => number, ids: readonly string[]): Start {
  const choice = random();
  if (choice < 0.3) return { kind: "live" };
  if (choice < 0.5) return { kind: "oldest" };
  if (choice < 0.7) return { kind: "last-messages", count: Math.floor(random() * 500) };
  const offset = parseOffset(ids[Math.floor(random() * ids.length)] ?? "");
  return offset === undefined ? { kind: "live" } : { kind: "after", offset };
}

/** The ids of all messages after one place, up to another, in one life. */
function idsBetween(from: string, to: string | undefined): string[] {
  const [after, last] = [parseOffset(from), parseOffset(to ?? "")];
  if (after === undefined || last === undefined) throw new Error(`expected two ids, got ${from} and ${to}`);
  const { incarnation } = last;
  return Array.from({ length: last.position - after.position }, (_, index) =>
    encodeOffset({ incarnation, position: after.position + index + 1 }),
  );
}
