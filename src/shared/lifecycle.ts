import { describeValue } from "./describe-value.ts";
import { ChanctlError } from "./errors.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** How long a stream's messages and connections live. */
export interface Lifecycle {
  /** How far back a reader may go, in ms; older messages are deleted. @default 24 h, 0 … 365 d */
  readonly replayWindowMs: number;
  /** The stream's state is dropped after this long without publish or subscriber, in ms; 0 is never. @default 0 */
  readonly inactivityTtlMs: number;
  /** A heartbeat is sent after this long with nothing sent, in ms. @default 25 s, 1 s … 5 min */
  readonly keepaliveIntervalMs: number;
  /** A connection is ended between 80 and 100 % of this, in ms. @default 2 h, 10 s … 24 h */
  readonly maxConnectionLifetimeMs: number;
  /** A stream keeps at most this many messages; 0 is no limit. @default 0 */
  readonly maxMessages: number;
  /** A stream keeps at most this many bytes; 0 is no limit. @default 0 */
  readonly maxBytes: number;
}

interface Bounds {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Whether 0 is allowed below `min` and means "off". */
  readonly zeroIsOff: boolean;
}

export const LIFECYCLE: Readonly<Record<keyof Lifecycle, Bounds>> = {
  replayWindowMs: { default: DAY, min: 0, max: 365 * DAY, zeroIsOff: false },
  inactivityTtlMs: { default: 0, min: SECOND, max: 365 * DAY, zeroIsOff: true },
  keepaliveIntervalMs: { default: 25 * SECOND, min: SECOND, max: 5 * 60 * SECOND, zeroIsOff: false },
  maxConnectionLifetimeMs: { default: 2 * HOUR, min: 10 * SECOND, max: 24 * HOUR, zeroIsOff: false },
  maxMessages: { default: 0, min: 1, max: Number.MAX_SAFE_INTEGER, zeroIsOff: true },
  maxBytes: { default: 0, min: 1, max: Number.MAX_SAFE_INTEGER, zeroIsOff: true },
};

export const LIFECYCLE_KEYS = Object.keys(LIFECYCLE) as readonly (keyof Lifecycle)[];

/**
 * Fills the defaults of a definition's lifecycle and checks its bounds.
 *
 * @throws {ChanctlError} `definition_invalid` naming the setting, its bounds and what came.
 */
export function resolveLifecycle(given: Readonly<Record<string, unknown>>): Lifecycle {
  const resolved: Partial<Record<keyof Lifecycle, number>> = {};
  for (const key of LIFECYCLE_KEYS) {
    const bounds = LIFECYCLE[key];
    const value = given[key] ?? bounds.default;
    if (typeof value !== "number" || !Number.isInteger(value) || clampSetting(key, value) !== value) {
      const range = `${bounds.zeroIsOff ? "0 (off) or " : ""}a whole number from ${bounds.min} to ${bounds.max}`;
      throw new ChanctlError(
        "definition_invalid",
        `\`${key}\` must be ${range}, got ${describeValue(value)}`,
        { hint: `${key}: ${bounds.default}     what it is when left out`, fields: { valueAt: key } },
      );
    }
    resolved[key] = value;
  }
  return resolved as Lifecycle;
}

/** Brings a setting of the app's answer into its bounds. */
export function clampSetting(key: keyof Lifecycle, value: number): number {
  const { min, max, zeroIsOff } = LIFECYCLE[key];
  if (zeroIsOff && value === 0) return 0;
  return Math.min(max, Math.max(min, Math.round(value)));
}
