import type { Offset } from "../protocol/offset.ts";

/** What a subscription was asked to be. Paths are those of the store. */
export interface SubscriptionConfig {
  readonly type: "webhook" | "pull-wake";
  /** Without a slash at its beginning, in its one form. */
  readonly pattern?: string;
  /** Where a webhook is sent. */
  readonly webhookUrl?: string;
  /** Where the wakes of a pull-wake subscription are written. */
  readonly wakeStream?: string;
  readonly leaseTtlMs: number;
  readonly description?: string;
}

/** Creates a subscription, or finds that it is there as asked for. */
export interface SubscribeOperation {
  readonly kind: "subscribe";
  readonly id: string;
  /** The proposer's clock, in ms since 1970. */
  readonly time: number;
  readonly config: SubscriptionConfig;
  /** Paths of streams that it names, beside the pattern. */
  readonly streams: readonly string[];
  /** Digest of all that makes up the configuration, the named streams too. */
  readonly configHash: string;
  /** The URL of the mount as the caller knows it; callbacks are told under it. */
  readonly baseUrl: string;
}

/** Deletes a subscription with its cursors. Whoever works for it finds out at the next call. */
export interface UnsubscribeOperation {
  readonly kind: "unsubscribe";
  /** Which subscription, by its incarnation: one of the same id that came later is another. */
  readonly subscription: number;
}

/** Names streams of a subscription, at their tail. */
export interface LinkStreamsOperation {
  readonly kind: "link-streams";
  /** Which subscription, by its incarnation: one of the same id that came later is another. */
  readonly subscription: number;
  readonly streams: readonly string[];
}

/** Takes a named stream away; what the pattern covers stays. */
export interface UnlinkStreamOperation {
  readonly kind: "unlink-stream";
  /** Which subscription, by its incarnation: one of the same id that came later is another. */
  readonly subscription: number;
  readonly stream: string;
}

/** Begins the next generation of a subscription that is idle and has pending work. */
export interface WakeOperation {
  readonly kind: "wake";
  /** Which subscription, by its incarnation: one of the same id that came later is another. */
  readonly subscription: number;
  /** The generation that it is in; if that has moved on, somebody else was first. */
  readonly generation: number;
  readonly time: number;
}

/** Gives a pull-wake subscription to a worker. */
export interface ClaimOperation {
  readonly kind: "claim";
  /** Which subscription, by its incarnation: one of the same id that came later is another. */
  readonly subscription: number;
  readonly worker: string;
  readonly time: number;
}

/** Which wake somebody works for: what the token was given for, and what the request says. */
export interface WakeHold {
  readonly id: string;
  /** Of the token. */
  readonly subscription: number;
  /** Of the token. */
  readonly tokenGeneration: number;
  readonly generation: number;
  readonly wakeId: string;
}

/** Moves cursors on and extends the lease, or ends it where the work is done. */
export interface AckOperation extends WakeHold {
  readonly kind: "ack";
  readonly acks: readonly Ack[];
  readonly isDone: boolean;
  readonly time: number;
}

/** All up to and including `offset` has been worked on. */
export interface Ack {
  readonly stream: string;
  readonly offset: Offset;
}

/** Gives the lease back with the work undone. */
export interface ReleaseOperation extends WakeHold {
  readonly kind: "release";
}

/** Ends a lease whose time is over. Does nothing if it was extended or is another one. */
export interface EndLeaseOperation {
  readonly kind: "end-lease";
  readonly subscription: number;
  readonly generation: number;
  /** In ms since 1970. */
  readonly leaseEndsAt: number;
}

/** A webhook was taken, and perhaps answered with `done`. */
export interface DeliveredOperation {
  readonly kind: "delivered";
  readonly subscription: number;
  readonly generation: number;
  /** Where the streams stood that it was told of, if it is done with them. */
  readonly done?: readonly SnapshotAck[];
}

/** A place in one life of a stream: if it was deleted since, there is nothing to acknowledge. */
export interface SnapshotAck {
  readonly stream: string;
  readonly incarnation: number;
  readonly position: number;
}

/** A webhook was not taken: it is tried again later. */
export interface DeliveryFailedOperation {
  readonly kind: "delivery-failed";
  readonly subscription: number;
  readonly generation: number;
  /** How many had failed before it; if more have, this one was told of already. */
  readonly failures: number;
  /** In ms since 1970; the jitter is in it. */
  readonly nextAttemptAt: number;
}

/** Keeps the key that webhooks are signed with. The first one wins, for ever. */
export interface SetSigningKeyOperation {
  readonly kind: "set-signing-key";
  /** PKCS #8, in base64. */
  readonly privateKey: string;
}

export type SubscriptionOperation =
  | SubscribeOperation
  | UnsubscribeOperation
  | LinkStreamsOperation
  | UnlinkStreamOperation
  | WakeOperation
  | ClaimOperation
  | AckOperation
  | ReleaseOperation
  | EndLeaseOperation
  | DeliveredOperation
  | DeliveryFailedOperation
  | SetSigningKeyOperation;

/** A stream of a subscription, at one moment. */
export interface LinkState {
  readonly stream: string;
  readonly isExplicit: boolean;
  readonly ackedOffset: Offset;
  readonly tailOffset: Offset;
  readonly isPending: boolean;
  /** The life that its cursor is in; 0 while there is no stream. */
  readonly incarnation: number;
  /** Where that ends. */
  readonly tail: number;
}

/** The subscription is there, as it was asked for. */
export interface Subscribed {
  readonly kind: "subscribed";
  readonly subscription: number;
  /** Whether it was made now. */
  readonly isNew: boolean;
}

/** A new generation has begun. */
export interface Woken {
  readonly kind: "woken";
  readonly subscription: number;
  readonly generation: number;
  /** What was written to the wake stream. */
  readonly event?: WakeEvent;
}

/** There is work, but the wake stream cannot take the wake: it is not there, or closed, or not JSON. */
export interface NotWoken {
  readonly kind: "not-woken";
  readonly wakeStream: string;
}

/** An entry that a wake stored in the same commit. */
export interface WakeEvent {
  readonly path: string;
  readonly incarnation: number;
  /** The position before it. */
  readonly first: number;
  readonly body: string;
  readonly time: number;
}

/** A worker holds the lease now. */
export interface Claimed {
  readonly kind: "claimed";
  readonly subscription: number;
  readonly generation: number;
  readonly wakeId: string;
  readonly leaseTtlMs: number;
  /** The pending ones first. */
  readonly streams: readonly LinkState[];
}

/** Something of a subscription has changed. */
export interface SubscriptionChanged {
  readonly kind: "subscription-changed";
  readonly subscription: number;
  /** It is idle, and there is work for another wake. */
  readonly isDue: boolean;
}

export interface SigningKeySet {
  readonly kind: "signing-key";
  /** The one that is kept: of whoever was first. */
  readonly privateKey: string;
}

/** Why an operation of a subscription was refused. */
export type SubscriptionRefusal =
  | { readonly reason: "unknown" }
  | { readonly reason: "exists" }
  | { readonly reason: "too-many"; readonly limit: number }
  | { readonly reason: "too-many-streams"; readonly limit: number }
  /** What it would wake by is a stream that cannot take the wakes. */
  | { readonly reason: "wake-stream"; readonly mediaType: string }
  /** It would wake itself without end. */
  | { readonly reason: "own-wake-stream" }
  | { readonly reason: "type"; readonly type: SubscriptionConfig["type"] }
  | { readonly reason: "claimed"; readonly holder: string; readonly generation: number }
  | { readonly reason: "no-pending-work" }
  /** The token is of a subscription of the same id that is there no longer. */
  | { readonly reason: "token" }
  | { readonly reason: "fenced" }
  | { readonly reason: "offset"; readonly stream: string; readonly what: string };

export type SubscriptionRefused = { readonly kind: "subscription-refused" } & SubscriptionRefusal;

export type SubscriptionResult =
  | Subscribed
  | Woken
  | NotWoken
  | Claimed
  | SubscriptionChanged
  | SigningKeySet
  | SubscriptionRefused
  | { readonly kind: "unchanged" };
