import type { Offset } from "../protocol/offset.ts";
import type { ProducerState } from "./judge-producer.ts";

/** What is stored of an append: JSON and text as text, anything else as bytes. */
export type Body = string | Uint8Array;

/** Which append of an idempotent producer an operation is. */
export interface ProducerStamp {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/** Creates a stream of Durable Streams, or finds that it is there as asked for. */
export interface CreateOperation {
  readonly kind: "create";
  readonly path: string;
  /** The proposer's clock, in ms since 1970. */
  readonly time: number;
  /** Type and subtype, in lower case. @default a fork's source has it, else `application/octet-stream` */
  readonly mediaType?: string;
  readonly ttlMs?: number;
  /** In ms since 1970. */
  readonly expiresAt?: number;
  readonly closes: boolean;
  /** What it begins with, after what it inherits. */
  readonly bodies: readonly Body[];
  /** The media type that the bodies were read as: if the stream's is another, it is not made. @default the stream's */
  readonly bodyType?: string;
  readonly fork?: Fork;
}

/** Where a new stream branches off another. */
export interface Fork {
  readonly source: string;
  /** @default the source's tail */
  readonly offset?: Offset;
  /** Messages or bytes to inherit beyond `offset`. */
  readonly subOffset: number;
}

/** Appends to a stream of Durable Streams, closes it, or both in one. */
export interface WriteOperation {
  readonly kind: "write";
  readonly path: string;
  /** The proposer's clock, in ms since 1970. */
  readonly time: number;
  /** What the bodies are; absent where there are none. */
  readonly mediaType?: string;
  readonly bodies: readonly Body[];
  readonly producer?: ProducerStamp;
  /** The application's own sequence: must be greater than the last, compared as text. */
  readonly seq?: string;
  readonly closes: boolean;
}

/** Deletes a stream; one that forks read from is kept for them until the last is gone. */
export interface DeleteOperation {
  readonly kind: "delete";
  readonly path: string;
  /** Which life of it, where its end was noticed and not asked for: another one is left alone. */
  readonly incarnation?: number;
  /** When it was last used by what was stored then, in ms since 1970: one that was used since is left alone, too. */
  readonly touchedAt?: number;
}

/** Remembers when a stream with a TTL was last used. */
export interface TouchOperation {
  readonly kind: "touch";
  readonly incarnation: number;
  readonly time: number;
}

/** Forgets producers that have not written since a time: a bounded number. */
export interface ForgetProducersOperation {
  readonly kind: "forget-producers";
  /** In ms since 1970. */
  readonly before: number;
}

export type StreamOperation =
  | CreateOperation
  | WriteOperation
  | DeleteOperation
  | TouchOperation
  | ForgetProducersOperation;

/** The stream is there, as it was asked for. */
export interface Created {
  readonly kind: "created";
  /** Whether it was made now. */
  readonly isNew: boolean;
  readonly incarnation: number;
  readonly mediaType: string;
  readonly tail: Offset;
  readonly isClosed: boolean;
  /** Its lifetime, which may be over by now. */
  readonly ttlMs: number | null;
  /** In ms since 1970. */
  readonly expiresAt: number | null;
}

/** The append or the close is durable, now or since an earlier time. */
export interface Written {
  readonly kind: "written";
  readonly incarnation: number;
  /** The position before what was stored now. */
  readonly first: number;
  readonly tail: Offset;
  readonly isClosed: boolean;
  /** A producer sent it before: nothing was stored now. */
  readonly isRepeat: boolean;
  /** What was accepted of the producer so far. */
  readonly producer?: ProducerState;
}

export interface Deleted {
  readonly kind: "deleted";
  readonly incarnation: number;
}

/** Why a stream's operation was refused. */
export type StreamRefusal =
  | { readonly reason: "unknown" }
  /** Deleted, and kept for its forks. */
  | { readonly reason: "soft-deleted" }
  /** There is another stream at the path than the one asked for; `what` differs. */
  | { readonly reason: "exists"; readonly what: string }
  | { readonly reason: "source-unknown" }
  | { readonly reason: "source-soft-deleted" }
  | { readonly reason: "fork-offset" }
  | { readonly reason: "fork-sub-offset" }
  /** The source is itself a fork of a fork, as deep as may be. */
  | { readonly reason: "fork-depth"; readonly max: number }
  | { readonly reason: "media-type"; readonly mediaType: string }
  | { readonly reason: "closed"; readonly tail: Offset }
  | { readonly reason: "seq"; readonly lastSeq: string }
  | { readonly reason: "stale-epoch"; readonly epoch: number }
  | { readonly reason: "epoch-start" }
  | { readonly reason: "seq-gap"; readonly expectedSeq: number };

export type StreamRefused = { readonly kind: "refused" } & StreamRefusal;
