import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { channelOfPath } from "../protocol/stream-path.ts";
import { MAX_TRIMMED } from "./apply-maintenance.ts";
import type { Clock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import { toExpiry } from "./lifetimes.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Log } from "./log.ts";
import type { Operation, Retention } from "./operation.ts";
import type { Reader } from "./reader.ts";
import type { StreamInfo } from "./stream-info.ts";

export interface MaintenanceOptions {
  readonly log: Log;
  readonly reader: Reader;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly lifetimes: Lifetimes;
  readonly logger: Logger;
}

/** Something to propose. */
interface Due {
  readonly operation: Operation;
  /** How many messages it deletes, about. */
  readonly messages: number;
}

const EVERY_MS = 5_000;
/** Whoever asks for an expired stream is told at once; this is for those who listen to it. */
const EXPIRE_EVERY_MS = 1_000;
const KEYS_ROTATE_MS = 24 * 3_600_000;
/** An idempotent producer that has not written for this long is forgotten (PROTOCOL.md, section 5.2.1). */
const PRODUCERS_KEPT_MS = 7 * 24 * 3_600_000;
/** Streams looked at in one step: reading them must not hold up anybody. */
const STEP = 200;

/**
 * Notices what is due, and proposes it: messages over their replay window or limit are trimmed, unused streams
 * dropped, expired ones deleted, ended lives swept, old idempotency keys and producers forgotten. `apply` itself never asks what time it is.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #startedAt: number;
  readonly #timers: readonly NodeJS.Timeout[];
  /** When the last subscriber of a stream left; kept for streams that are dropped when unused. */
  readonly #leftAt = new Map<string, number>();
  /** Paths in `#leftAt` of which it is not known whether they are dropped when unused. */
  readonly #unchecked = new Set<string>();
  /** By channel, what its streams do not all have yet. */
  readonly #retentions = new Map<string, Retention>();
  /** By channel, when that was last changed. */
  readonly #changedAt = new Map<string, number>();
  /** Until when a stream is kept for those who left it; of one life, and not beyond a restart. */
  readonly #keptUntil = new Map<string, number>();
  #round: Promise<void> | undefined;
  #expiring: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    options.hub.onLeft((path) => {
      this.#leftAt.set(path, options.clock.now());
      this.#unchecked.add(path);
    });
    this.#timers = [
      setInterval(() => void this.run(), EVERY_MS),
      setInterval(() => void this.#expire(), EXPIRE_EVERY_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /**
   * Keeps a stream for so long from now on, in ms, though nobody uses it; 0 is for ever, `undefined` no longer than it
   * is kept already. It shortens nothing.
   */
  keep(path: string, keepMs: number | undefined): void {
    if (keepMs === undefined) return;
    const until = keepMs === 0 ? Number.POSITIVE_INFINITY : this.#options.clock.now() + keepMs;
    if (until > (this.#keptUntil.get(path) ?? 0)) this.#keptUntil.set(path, until);
  }

  /** Gives all streams of a channel what its definition says now, in the background. */
  setRetention(channel: string, retention: Retention): void {
    this.#retentions.set(channel, retention);
    this.#changedAt.set(channel, this.#options.clock.now());
    for (const path of this.#leftAt.keys()) if (channelOfPath(path) === channel) this.#unchecked.add(path);
    // A round under way may be past this.
    void Promise.resolve(this.#round).then(() => this.run());
  }

  /** One round, until nothing is left that was due when it began. Never rejects: what fails now is due again in the next. */
  run(): Promise<void> {
    this.#round ??= this.#run().finally(() => (this.#round = undefined));
    return this.#round;
  }

  /** What fails now is told of by the next round. */
  #expire(): Promise<void> {
    this.#expiring ??= this.#expireNow()
      .catch(() => {})
      .finally(() => (this.#expiring = undefined));
    return this.#expiring;
  }

  async #expireNow(): Promise<void> {
    await this.#completeAll(this.#expiries(this.#options.clock.now()));
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (cause) {
        failures.push(cause);
      }
    };
    // On a busy stream there is always something that has just become due: without an end to that, no other had its turn.
    const now = this.#options.clock.now();
    const kinds = [
      this.#windowTrims,
      this.#limitTrims,
      this.#drops,
      this.#expiries,
      this.#sweeps,
      this.#producers,
      this.#rotation,
    ];
    await attempt(() => this.#setRetentions());
    // A kind that fails does not keep the others from their turn.
    for (const kind of kinds) await attempt(() => this.#completeAll(kind(now)));
    if (failures.length === 0) return;
    const message = `could not tidy the store: ${messageOf(failures[0])}`;
    this.#options.logger({ level: "warn", event: "maintenance-failed", message });
  }

  async #completeAll(pages: Iterable<readonly Due[]>): Promise<void> {
    for (const page of pages) {
      let isProgress = false;
      for (const group of inGroups(page)) {
        if (this.#isClosed) return;
        const done = await Promise.all(group.map(({ operation }) => this.#complete(operation)));
        isProgress ||= done.includes(true);
      }
      if (!isProgress) return;
    }
  }

  /** An operation deletes a bounded number, so that publishers get their turn between two. Returns whether it did anything. */
  async #complete(operation: Operation): Promise<boolean> {
    for (let isFirst = true; ; isFirst = false) {
      const [result] = await this.#options.log.propose([operation]);
      if (result?.kind === "dropped" && operation.kind === "drop") this.#leftAt.delete(operation.path);
      if (result?.kind !== "trimmed")
        return result?.kind === "dropped" || result?.kind === "deleted" || !isFirst;
      if (!result.isPartial || this.#isClosed) return true;
    }
  }

  /** What a step that fails leaves undone is begun anew in the next round. */
  async #setRetentions(): Promise<void> {
    for (const [channel, retention] of this.#retentions) {
      let from: string | undefined = channel;
      while (from !== undefined) {
        if (this.#isClosed) return;
        const [result] = await this.#options.log.propose([
          { kind: "set-retention", channel, from, retention },
        ]);
        from = result?.kind === "retention-set" ? result.next : undefined;
      }
      if (this.#retentions.get(channel) === retention) this.#retentions.delete(channel);
    }
  }

  readonly #windowTrims = (now: number): Iterable<readonly Due[]> => {
    const { reader } = this.#options;
    return pagesOf(() =>
      reader.due
        .overWindow(now, STEP)
        .map((stream) => toTrim(stream, reader.positionAtTime(stream, now - stream.replayWindowMs))),
    );
  };

  readonly #limitTrims = (): Iterable<readonly Due[]> => {
    const { due } = this.#options.reader;
    let afterId = 0; // onwards only: streams that are busy beyond their limit would never be done with
    return pagesOf(() => {
      const streams = due.overLimit({ afterId, limit: STEP });
      afterId = streams.at(-1)?.id ?? afterId;
      return streams.map((stream) => toTrim(stream, due.positionUnderLimit(stream)));
    });
  };

  readonly #drops = (now: number): Iterable<readonly Due[]> => {
    const { reader } = this.#options;
    this.#forgetLeft();
    const query = {
      maxTtlMs: now - this.#startedAt,
      limit: STEP,
      isUnused: (stream: StreamInfo) => this.#isUnused(stream, now),
    };
    return pagesOf(() =>
      reader.due.unused(now, query).map(({ path, incarnation, tail }) => ({
        operation: { kind: "drop", path, incarnation, tail },
        messages: 0,
      })),
    );
  };

  #isUnused({ path, inactivityTtlMs }: StreamInfo, now: number): boolean {
    // Of a stream that was never to be dropped nobody noted when it was last used: its TTL counts from the change.
    const usedAt = this.#leftAt.get(path) ?? this.#changedAt.get(channelOfPath(path)) ?? this.#startedAt;
    const isKept = (this.#keptUntil.get(path) ?? 0) > now;
    return !isKept && !this.#options.hub.isFollowed(path) && usedAt + inactivityTtlMs <= now;
  }

  readonly #expiries = (now: number): Iterable<readonly Due[]> => {
    const { reader, lifetimes } = this.#options;
    const query = { limit: STEP, isExpired: (stream: StreamInfo) => lifetimes.isOver(stream) };
    return pagesOf(() =>
      reader.due.expired(now, query).map((stream) => ({ operation: toExpiry(stream), messages: 0 })),
    );
  };

  readonly #producers = (now: number): Iterable<readonly Due[]> => {
    const before = now - PRODUCERS_KEPT_MS;
    if (!this.#options.reader.due.hasProducersBefore(before)) return [];
    return [[{ operation: { kind: "forget-producers", before }, messages: 0 }]];
  };

  readonly #sweeps = (): Iterable<readonly Due[]> =>
    this.#options.reader.due.hasEndedLives()
      ? [[{ operation: { kind: "sweep" }, messages: MAX_TRIMMED }]]
      : [];

  readonly #rotation = (now: number): Iterable<readonly Due[]> => {
    const { generation, rotatedAt } = this.#options.reader.due.keyGeneration();
    if (now - rotatedAt < KEYS_ROTATE_MS) return [];
    return [[{ operation: { kind: "rotate-keys", generation, time: now }, messages: 0 }]];
  };

  /** Most streams are never dropped, and who leaves them need not be remembered. */
  #forgetLeft(): void {
    const { reader, clock } = this.#options;
    for (const path of this.#unchecked) {
      const stream = reader.stream(path);
      if (stream === undefined || stream.inactivityTtlMs === 0 || stream.tail === 0) {
        this.#leftAt.delete(path);
        this.#keptUntil.delete(path);
      }
    }
    this.#unchecked.clear();
    const now = clock.now();
    for (const [path, until] of this.#keptUntil) if (until <= now) this.#keptUntil.delete(path);
  }

  /** Starts no more; resolves when the round under way has ended. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#isClosed = true;
    this.#options.hub.onLeft(undefined);
    await Promise.all([this.#round, this.#expiring]);
  }
}

function toTrim({ incarnation, oldest }: StreamInfo, position: number): Due {
  return { operation: { kind: "trim", incarnation, position }, messages: position - oldest };
}

/** Page after page, until one is empty. Each is read when the one before is done with. */
function* pagesOf(read: () => readonly Due[]): Iterable<readonly Due[]> {
  for (let page = read(); page.length > 0; page = read()) yield page;
}

/** What is proposed at once commits together: many small rooms take one fsync, and no commit deletes much more than one may. */
function* inGroups(page: readonly Due[]): Iterable<readonly Due[]> {
  let group: Due[] = [];
  let messages = 0;
  for (const due of page) {
    if (group.length > 0 && messages + due.messages > MAX_TRIMMED) {
      yield group;
      group = [];
      messages = 0;
    }
    group.push(due);
    messages += due.messages;
  }
  yield group;
}
