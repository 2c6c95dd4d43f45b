import type { StreamOperation } from "../../protocol/app-call.ts";

/** How Durable Streams are served. */
export interface DurableStreamsOptions {
  /** Under which path; begins with a slash and does not end with one. */
  readonly path: string;
  /** How long a long-poll waits for something new, in ms. */
  readonly pollTimeoutMs: number;
  /** How long an event stream lives, in ms, before its client comes back for the next. */
  readonly sseTtlMs: number;
  /** Clients need no token; whether they may is still asked. */
  readonly skipsAuthentication: boolean;
  /** Anyone may read. */
  readonly publicStreams: boolean;
  /** Anyone may create, append, close and delete. */
  readonly publicWrites: boolean;
}

/** Whether the settings let anyone do this, whoever they are and whatever the stream. */
export function isOpenTo(
  { publicStreams, publicWrites }: DurableStreamsOptions,
  operation: StreamOperation,
): boolean {
  return publicWrites || (publicStreams && operation === "read");
}
