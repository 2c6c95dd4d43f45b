import type { SubscriptionConfig } from "./subscription-operation.ts";

/**
 * A subscription, as a row of `subscriptions`.
 *
 * ```
 *            wake (an event is written)        claim
 *   idle ───────────────────────────► woken ──────────► leased
 *    │ ▲     wake (a webhook is due), or a claim          ▲ │
 *    │ └──────────────────────────────────────────────────┼─┘ done, release, the end of the lease
 *    └────────────────────────────────────────────────────┘
 * ```
 */
export interface SubscriptionRecord {
  readonly incarnation: number;
  readonly id: string;
  readonly type: SubscriptionConfig["type"];
  readonly pattern: string | null;
  readonly webhookUrl: string | null;
  /** Its path in the store. */
  readonly wakeStream: string | null;
  readonly leaseTtlMs: number;
  readonly description: string | null;
  readonly configHash: string;
  /** The URL of the mount as whoever created it knows it. */
  readonly baseUrl: string;
  /** In ms since 1970. */
  readonly createdAt: number;
  readonly state: "idle" | "woken" | "leased";
  readonly generation: number;
  readonly holder: string | null;
  /** In ms since 1970; `null` where there is no lease. */
  readonly leaseEndsAt: number | null;
  /** When a webhook is due, in ms since 1970; `null` where none is. */
  readonly nextAttemptAt: number | null;
  /** How many attempts of a delivery have failed in a row. */
  readonly failures: number;
}

/** What to select for a `SubscriptionRecord`. */
export const SUBSCRIPTION_COLUMNS = `incarnation, id, type, pattern, webhook_url AS webhookUrl,
  wake_stream AS wakeStream, lease_ttl_ms AS leaseTtlMs, description, config_hash AS configHash, base_url AS baseUrl,
  created_at AS createdAt, state, generation, holder, lease_ends_at AS leaseEndsAt, next_attempt_at AS nextAttemptAt,
  failures`;

/** The id of the wake that a subscription is in: never given out twice, on no node. */
export function wakeIdOf({
  incarnation,
  generation,
}: Pick<SubscriptionRecord, "incarnation" | "generation">): string {
  return `w_${incarnation}_${generation}`;
}
