import type { Allowed, Operation, Rejected, StreamOperation } from "../protocol/app-call.ts";

/** What a caller is granted. Whatever is left out is the channel's own setting. */
export interface Grant {
  /** Who the caller is, as readers see it in `from`; absent for someone who is nobody in particular. */
  readonly subject?: string | undefined;
  /** What the caller may do. @default all that the channel's transport has, or all that can be done with a stream */
  readonly operations?: readonly (Operation | StreamOperation)[] | undefined;
  /** When the grant ends, in ms since 1970: the connection is then closed and the caller asked for anew. */
  readonly expiresAt?: number | undefined;
  /** How far back this caller may read, in ms. */
  readonly replayWindowMs?: number | undefined;
  /** A heartbeat is sent to this caller after this long with nothing sent, in ms. */
  readonly keepaliveIntervalMs?: number | undefined;
  /** This caller's connection is ended between 80 and 100 % of this, in ms. */
  readonly maxConnectionLifetimeMs?: number | undefined;
  /**
   * The stream's state is kept for at least this long after this caller has left, in ms, 0 for ever; it never makes the channel's
   * own time shorter.
   */
  readonly inactivityTtlMs?: number | undefined;
}

/** Lets a caller in: the answer of `verify` and `authorizeStream`. */
export function allow(grant: Grant = {}): Allowed {
  const given = Object.entries(grant).filter(([, value]) => value !== undefined);
  return { ok: true, ...Object.fromEntries(given) };
}

/**
 * Turns a caller, or a client's message, away: the answer of `verify`, `authorizeStream` or `onPublish`.
 *
 * @param reason for the client's developer; it is shown to the client.
 */
export function reject(
  reason: string,
  { status = 403 }: { readonly status?: 401 | 403 | 404 } = {},
): Rejected {
  return { ok: false, reason, status };
}
