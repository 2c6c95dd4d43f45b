import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Clock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import type { Committed, Log } from "./log.ts";
import type { Operation } from "./operation.ts";
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
/** Streams looked at in one round; the most overdue come first, the rest follow in the next. */
const STREAMS_PER_ROUND = 200;

/**
 * Notices what is due, and proposes it: messages over their replay window or limit are trimmed, unused streams
 * dropped, old idempotency keys forgotten. `apply` itself never asks what time it is.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #startedAt: number;
  readonly #unfollow: () => void;
  readonly #timer: NodeJS.Timeout;
  /** Trims that the appends themselves called for, by incarnation. */
  readonly #overLimit = new Map<number, number>();
  /** When the last subscriber of a stream left, for streams that are dropped when unused. */
  readonly #leftAt = new Map<string, number>();
  #isRunning = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#unfollow = options.log.follow((batch) => this.#noteLimits(batch));
    options.hub.onLeft((path) => this.#noteLeft(path));
    this.#timer = setInterval(() => void this.run(), EVERY_MS);
    this.#timer.unref();
  }

  /** One round. Never rejects: what fails now is due again in the next. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      const now = this.#options.clock.now();
      for (const operation of [...this.#dueTrims(now), ...this.#dueDrops(now), ...this.#dueRotation(now)]) {
        await this.#complete(operation);
      }
    } catch (cause) {
      const message = `could not tidy the store: ${messageOf(cause)}`;
      this.#options.logger({ level: "warn", event: "maintenance-failed", message });
    } finally {
      this.#isRunning = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unfollow();
    this.#options.hub.onLeft(undefined);
  }

  /** A trim deletes a bounded number, so that publishers get their turn between two. */
  async #complete(operation: Operation): Promise<void> {
    let isPartial = true;
    while (isPartial) {
      const [result] = await this.#options.log.propose([operation]);
      isPartial = result?.kind === "trimmed" && result.isPartial;
    }
  }

  #noteLimits(batch: readonly Committed[]): void {
    for (const { result } of batch) {
      if (result.kind === "appended" && result.trimTo !== undefined) {
        this.#overLimit.set(result.incarnation, result.trimTo);
      }
    }
  }

  #noteLeft(path: string): void {
    const ttl = this.#options.reader.stream(path)?.inactivityTtlMs ?? 0;
    if (ttl > 0) this.#leftAt.set(path, this.#options.clock.now());
  }

  #dueTrims(now: number): Operation[] {
    const { reader } = this.#options;
    const overWindow = reader.dueForTrim(now, STREAMS_PER_ROUND).map((stream) => ({
      kind: "trim" as const,
      incarnation: stream.incarnation,
      position: reader.positionAtTime(stream, now - stream.replayWindowMs),
    }));
    const overLimit = [...this.#overLimit].map(([incarnation, position]) => ({
      kind: "trim" as const,
      incarnation,
      position,
    }));
    this.#overLimit.clear();
    return [...overWindow, ...overLimit];
  }

  #dueDrops(now: number): Operation[] {
    const { reader, hub } = this.#options;
    const unused = reader.dueForDrop(now, STREAMS_PER_ROUND).filter(({ path, inactivityTtlMs }) => {
      const usedAt = this.#leftAt.get(path) ?? this.#startedAt;
      return !hub.isFollowed(path) && usedAt + inactivityTtlMs <= now;
    });
    for (const { path } of unused) this.#leftAt.delete(path);
    // Emptied by trims first, which are bounded: a drop deletes whatever is left in one go.
    return unused.flatMap(({ path, incarnation, tail }) => [
      { kind: "trim" as const, incarnation, position: tail },
      { kind: "drop" as const, path, incarnation, tail },
    ]);
  }

  #dueRotation(now: number): Operation[] {
    const { generation, rotatedAt } = this.#options.reader.keyGeneration();
    return now - rotatedAt < KEYS_ROTATE_MS ? [] : [{ kind: "rotate-keys", generation, time: now }];
  }
}
