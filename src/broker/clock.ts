import type { Logger } from "../shared/logger.ts";

/** The wall clock may be put right by this much of the time that passes: 1 s a minute. */
const MAX_SLEW = 1 / 60;
const JUMP_MS = 2_000;

export interface ClockOptions {
  /** The last time that the store holds, in ms since 1970: the clock never starts before it. */
  readonly notBefore: number;
  readonly logger: Logger;
  /** The wall clock, in ms since 1970. @default Date.now */
  readonly wall?: () => number;
  /** A clock that never jumps, in ms. @default performance.now */
  readonly monotonic?: () => number;
}

/**
 * The time that messages carry and retention goes by: the wall clock at the start plus monotonic time, moved
 * toward the wall clock slowly. A wall clock that jumps would expire a day of messages at once, or none for a day.
 */
export class Clock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #logger: Logger;
  #time: number;
  #readAt: number;
  #isOff = false;

  constructor({ notBefore, logger, wall = Date.now, monotonic = () => performance.now() }: ClockOptions) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#logger = logger;
    this.#time = Math.max(wall(), notBefore);
    this.#readAt = monotonic();
  }

  /** Now, in whole ms since 1970; never less than before. */
  now(): number {
    const readAt = this.#monotonic();
    const elapsed = readAt - this.#readAt;
    this.#readAt = readAt;
    this.#time += elapsed;
    const drift = this.#wall() - this.#time;
    this.#noteJump(drift);
    const slew = elapsed * MAX_SLEW;
    this.#time += Math.min(slew, Math.max(-slew, drift));
    return Math.floor(this.#time);
  }

  #noteJump(drift: number): void {
    const isOff = Math.abs(drift) > JUMP_MS;
    if (isOff && !this.#isOff) {
      this.#logger({
        level: "warn",
        event: "clock-jump",
        message: `the system clock is ${Math.round(drift / 1_000)} s off from the broker's, which follows by 1 s a minute`,
        fields: { driftMs: Math.round(drift) },
      });
    }
    this.#isOff = isOff;
  }
}
