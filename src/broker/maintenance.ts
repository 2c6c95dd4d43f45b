import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Clock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import type { Log } from "./log.ts";
import { channelOfPath } from "../protocol/stream-path.ts";
import type { Operation, Retention } from "./operation.ts";
import type { Reader } from "./reader.ts";

export interface MaintenanceOptions {
  readonly log: Log;
  readonly reader: Reader;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly logger: Logger;
}

const EVERY_MS = 5_000;
const KEYS_ROTATE_MS = 24 * 3_600_000;
/** Streams looked at in one step: reading them must not hold up anybody. */
const STEP = 200;

/**
 * Notices what is due, and proposes it: messages over their replay window or limit are trimmed, unused streams
 * dropped, ended lives swept, old idempotency keys forgotten. `apply` itself never asks what time it is.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout;
  /** When the last subscriber of a stream left; kept for streams that are dropped when unused. */
  readonly #leftAt = new Map<string, number>();
  /** By channel, what its streams do not all have yet. */
  readonly #retentions = new Map<string, Retention>();
  /** By channel, when that was last changed. */
  readonly #changedAt = new Map<string, number>();
  #round: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    options.hub.onLeft((path) => this.#leftAt.set(path, options.clock.now()));
    this.#timer = setInterval(() => void this.run(), EVERY_MS);
    this.#timer.unref();
  }

  /** Gives all streams of a channel what its definition says now, in the background. */
  setRetention(channel: string, retention: Retention): void {
    this.#retentions.set(channel, retention);
    this.#changedAt.set(channel, this.#options.clock.now());
    // A round under way may be past this.
    void Promise.resolve(this.#round).then(() => this.run());
  }

  /** One round, until nothing is due. Never rejects: what fails now is due again in the next. */
  run(): Promise<void> {
    this.#round ??= this.#run().finally(() => (this.#round = undefined));
    return this.#round;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    if (this.#isClosed) return;
    await this.#setRetentions().catch((cause: unknown) => failures.push(cause));
    // A kind that fails does not keep the others from their turn.
    for (const due of [this.#windowTrims, this.#limitTrims, this.#drops, this.#sweeps, this.#rotation]) {
      await this.#runKind(due).catch((cause: unknown) => failures.push(cause));
    }
    if (failures.length === 0) return;
    const message = `could not tidy the store: ${messageOf(failures[0])}`;
    this.#options.logger({ level: "warn", event: "maintenance-failed", message });
  }

  async #runKind(due: () => readonly Operation[]): Promise<void> {
    this.#forgetLeft();
    for (let operations = due(); operations.length > 0 && !this.#isClosed; operations = due()) {
      let isProgress = false;
      for (const operation of operations) isProgress = (await this.#complete(operation)) || isProgress;
      if (!isProgress) return;
    }
  }

  /** An operation deletes a bounded number, so that publishers get their turn between two. Returns whether it did anything. */
  async #complete(operation: Operation): Promise<boolean> {
    for (let isFirst = true; ; isFirst = false) {
      const [result] = await this.#options.log.propose([operation]);
      if (result?.kind !== "trimmed") return result?.kind === "dropped" || !isFirst;
      if (!result.isPartial) return true;
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

  readonly #windowTrims = (): Operation[] => {
    const { reader, clock } = this.#options;
    const now = clock.now();
    return reader.due.overWindow(now, STEP).map((stream) => ({
      kind: "trim",
      incarnation: stream.incarnation,
      position: reader.positionAtTime(stream, now - stream.replayWindowMs),
    }));
  };

  readonly #limitTrims = (): Operation[] => {
    const { due } = this.#options.reader;
    return due.overLimit(STEP).map((stream) => ({
      kind: "trim",
      incarnation: stream.incarnation,
      position: due.positionUnderLimit(stream),
    }));
  };

  readonly #drops = (): Operation[] => {
    const { reader, hub, clock } = this.#options;
    const now = clock.now();
    const unused = reader.due.unused(now, {
      limit: STEP,
      isUnused: ({ path, inactivityTtlMs }) => {
        // Of a stream that was never to be dropped nobody noted when it was last used: its TTL counts from the change.
        const usedAt = this.#leftAt.get(path) ?? this.#changedAt.get(channelOfPath(path)) ?? this.#startedAt;
        return !hub.isFollowed(path) && usedAt + inactivityTtlMs <= now;
      },
    });
    return unused.map(({ path, incarnation, tail }) => ({ kind: "drop", path, incarnation, tail }));
  };

  readonly #sweeps = (): Operation[] =>
    this.#options.reader.due.endedLives(STEP).map((incarnation) => ({ kind: "sweep", incarnation }));

  readonly #rotation = (): Operation[] => {
    const { reader, clock } = this.#options;
    const now = clock.now();
    const { generation, rotatedAt } = reader.due.keyGeneration();
    return now - rotatedAt < KEYS_ROTATE_MS ? [] : [{ kind: "rotate-keys", generation, time: now }];
  };

  /** Most streams are never dropped, and of the others it matters only until they are. */
  #forgetLeft(): void {
    const { reader } = this.#options;
    for (const path of this.#leftAt.keys()) {
      const stream = reader.stream(path);
      if (stream === undefined || stream.inactivityTtlMs === 0 || stream.tail === 0)
        this.#leftAt.delete(path);
    }
  }

  /** Starts no more; resolves when the round under way has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    this.#options.hub.onLeft(undefined);
    await this.#round;
  }
}
