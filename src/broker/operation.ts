import type { Lifecycle } from "../shared/lifecycle.ts";
import type { ProducerState } from "./judge-producer.ts";
import type {
  Created,
  Deleted,
  ProducerStamp,
  StreamOperation,
  StreamRefused,
  Written,
} from "./stream-operation.ts";
import type { SubscriptionOperation, SubscriptionResult } from "./subscription-operation.ts";

/**
 * Everything that changes a stream, as plain values. An operation carries its own time and every random
 * value, so that applying the same operations in the same order gives the same store on any node.
 */
export type Operation =
  | AppendOperation
  | SetRetentionOperation
  | TrimOperation
  | DropOperation
  | SweepOperation
  | RotateKeysOperation
  | StreamOperation
  | SubscriptionOperation;

/** The part of a lifecycle that a stream's row remembers, so that pruning goes on when the definition is gone. */
export type Retention = Pick<Lifecycle, "replayWindowMs" | "inactivityTtlMs" | "maxMessages" | "maxBytes">;

/** Adds messages to a channel's stream, which the first of them creates. All are stored, or none. */
export interface AppendOperation {
  readonly kind: "append";
  readonly path: string;
  /** The proposer's clock, in ms since 1970. */
  readonly time: number;
  /** JSON messages that lack `id` and `time`; see `composeMessage`. */
  readonly templates: readonly string[];
  readonly retention: Retention;
  /** Makes a repeat of this operation harmless. */
  readonly key?: AppendKey;
  /** Makes a repeat harmless, too, in the way of Durable Streams. */
  readonly producer?: ProducerStamp;
  /** The application's own sequence: must be greater than the last, compared as text. */
  readonly seq?: string;
}

export interface AppendKey {
  /** Whose key it is: keys of different publishers never meet. */
  readonly owner: string;
  readonly key: string;
  /** Digest of what the publisher sent; another one under the same key is refused. */
  readonly fingerprint: string;
}

/**
 * Gives a changed lifecycle to the streams of a channel, those too that nobody publishes to: a bounded number, so
 * that nobody waits long behind it.
 */
export interface SetRetentionOperation {
  readonly kind: "set-retention";
  readonly channel: string;
  /** Where to go on: the channel's name at first, then the `next` of the result. */
  readonly from: string;
  readonly retention: Retention;
}

/** Deletes the oldest messages of one life of a stream, up to and including a position. */
export interface TrimOperation {
  readonly kind: "trim";
  readonly incarnation: number;
  readonly position: number;
}

/**
 * Ends one life of a stream that nobody used: the next begins empty under a new incarnation, and nobody can read
 * the messages of the old, which sweeps then delete. Does nothing if the stream has moved on since it was looked at.
 */
export interface DropOperation {
  readonly kind: "drop";
  readonly path: string;
  readonly incarnation: number;
  readonly tail: number;
}

/** Deletes messages of lives that have ended: a bounded number, so that nobody waits long behind it. */
export interface SweepOperation {
  readonly kind: "sweep";
}

/** Forgets the older half of the idempotency keys. Does nothing if `generation` is no longer the current one. */
export interface RotateKeysOperation {
  readonly kind: "rotate-keys";
  readonly generation: number;
  readonly time: number;
}

/** What an operation came to. A refusal is a result, not an exception. */
export type Result =
  | Appended
  | Refused
  | StreamRefused
  | RetentionSet
  | Trimmed
  | Dropped
  | Created
  | Written
  | Deleted
  | SubscriptionResult;

/** The messages are stored at positions `first + 1` … `first + count`, which are their ids. */
export interface Appended {
  readonly kind: "appended";
  readonly incarnation: number;
  /** The position before the first message. */
  readonly first: number;
  readonly count: number;
  /** The time that the messages carry: never less than the last one's. */
  readonly time: number;
  /** The key was seen before: nothing was stored now, these are the ids of then. */
  readonly isRepeat: boolean;
  /** What was accepted of the producer so far. */
  readonly producer?: ProducerState;
}

/** Nothing was stored. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: "key-reused";
}

interface RetentionSet {
  readonly kind: "retention-set";
  /** The path to go on from; absent when all streams of the channel have it. */
  readonly next?: string;
}

interface Trimmed {
  readonly kind: "trimmed";
  /** Messages deleted; one operation deletes a bounded number, so fewer than asked for may be gone. */
  readonly count: number;
  /** Whether messages at or below the asked position remain. */
  readonly isPartial: boolean;
}

interface Dropped {
  readonly kind: "dropped";
  /** The incarnation of the life that has now begun. */
  readonly incarnation: number;
}
