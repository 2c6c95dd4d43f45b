import { onTestFinished } from "vitest";
import { Chunks } from "#src/broker/chunks.ts";
import { Clock } from "#src/broker/clock.ts";
import { Hub } from "#src/broker/hub.ts";
import { Lifetimes } from "#src/broker/lifetimes.ts";
import type { Log } from "#src/broker/log.ts";
import { Maintenance } from "#src/broker/maintenance.ts";
import type { Operation } from "#src/broker/operation.ts";
import { Pages } from "#src/broker/pages.ts";
import type { Store } from "#src/broker/store.ts";
import { Streams } from "#src/broker/streams.ts";
import { UnsentBudget } from "#src/broker/unsent-budget.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { NOON } from "./operations.ts";

/** Streams over a real store, in a time that only the test moves. */
export interface TimedStreams {
  readonly streams: Streams;
  readonly maintenance: Maintenance;
  /** Everything that was proposed, in order. */
  readonly proposed: readonly Operation[];
  /** Lets time pass. */
  pass(ms: number): void;
}

/** Begins at noon, or at `startsAt`, in ms since 1970: as a broker does that has just started. */
export function openTimedStreams(
  store: Store,
  { startsAt = NOON }: { startsAt?: number } = {},
): TimedStreams {
  let now = startsAt;
  const proposed: Operation[] = [];
  const logger = (): void => {};
  const log: Log = {
    propose: (operations) => {
      proposed.push(...operations);
      return store.propose(operations);
    },
    follow: (follower) => store.follow(follower),
  };
  const { reader } = store;
  const clock = new Clock({ notBefore: 0, logger, wall: () => now, monotonic: () => now });
  const hub = new Hub({ log, reader });
  const parts = { log, reader, hub, clock };
  const lifetimes = new Lifetimes(parts);
  const maintenance = new Maintenance({ ...parts, lifetimes, logger });
  const unsent = new UnsentBudget(DEFAULT_LIMITS, { onHit: () => {} });
  const reading = { ...parts, maintenance, pages: new Pages(reader), unsent };
  const chunks = new Chunks({ reader, unsent });
  const streams = new Streams({ ...parts, lifetimes, reading, chunks });
  onTestFinished(async () => {
    await maintenance.close();
    hub.close();
  });
  return { streams, maintenance, proposed, pass: (ms) => void (now += ms) };
}
