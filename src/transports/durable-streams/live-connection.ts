import { addressOf } from "../access.ts";
import type { Connection } from "../connections.ts";
import type { StreamCall } from "./stream-call.ts";

/** Long enough that no client takes the connection for a broken one. */
const MIN_TTL_MS = 3_000;

export interface LifetimeInput {
  /** What is set, in ms. */
  readonly ttlMs: number;
  /** When the reader's grant ends, in ms from now; `undefined`: never. */
  readonly endsInMs: number | undefined;
  /** A number from 0 to 1, exclusive. */
  readonly random: number;
}

/**
 * How long an event stream lives, in ms: its end is spread over the last fifth, so that not all clients come back at
 * once; and it is never after the grant's (PROTOCOL.md, section 10.2).
 */
export function lifetimeMs({ ttlMs, endsInMs = Number.POSITIVE_INFINITY, random }: LifetimeInput): number {
  return Math.min(Math.max(MIN_TTL_MS, ttlMs * (0.8 + 0.2 * random)), endsInMs);
}

/**
 * Asks for room for one more live reader.
 *
 * @throws {ChanctlError} `rate_limited` naming the limit; `service_restart`, with when to come back, while the server
 *   is closing.
 */
export function assertRoom({ context, request, subject }: StreamCall): void {
  const isClient = context.audience === "public";
  context.connections.assertRoom({ subject, address: addressOf(request), isClient });
}

/** A long-poll in the list of all connections: a shutdown, or whoever is sent away, is answered with what there is. */
export function toPollConnection(
  { context, target, request, response, subject, expiresAt }: StreamCall,
  end: () => void,
): Connection {
  const now = performance.now();
  return {
    channel: target.channel?.channel.name ?? "",
    subject,
    address: addressOf(request),
    isClient: context.audience === "public",
    // It gets nothing before its answer, and its answer comes in time.
    lastBeatAt: Number.POSITIVE_INFINITY,
    unansweredSince: undefined,
    keepaliveIntervalMs: Number.POSITIVE_INFINITY,
    endsAt: expiresAt === undefined ? Number.POSITIVE_INFINITY : now + expiresAt - Date.now(),
    keepAlive: () => {},
    end,
    kill: () => void response.destroy(),
  };
}
