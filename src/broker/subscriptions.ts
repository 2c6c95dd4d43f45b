import { createHash } from "node:crypto";
import { ChanctlError } from "../shared/errors.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Result } from "./operation.ts";
import type { SigningKeys, SigningKey } from "./signing-key.ts";
import type {
  Ack,
  Claimed,
  EndLeaseOperation,
  LinkState,
  Subscribed,
  SubscriptionChanged,
  SubscriptionConfig,
  SubscriptionOperation,
  SubscriptionRefused,
} from "./subscription-operation.ts";
import type { SubscriptionReader } from "./subscription-reader.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import { signWakeToken, verifyWakeToken } from "./wake-token.ts";
import type { WakeClaim } from "./wake-token.ts";

export interface SubscriptionsOptions {
  readonly log: Log;
  readonly reader: SubscriptionReader;
  readonly clock: Clock;
  readonly keys: SigningKeys;
}

/** A subscription as somebody asks for it. Paths are those of the store. */
export interface SubscribeAsked {
  readonly id: string;
  readonly config: SubscriptionConfig;
  readonly streams: readonly string[];
  readonly baseUrl: string;
}

/** Which wake a worker says that it works for. */
export interface WakeNamed {
  readonly id: string;
  readonly wakeId: string;
  readonly generation: number;
  readonly token: WakeClaim;
}

/**
 * Subscriptions of Durable Streams: durable cursors that wake workers (PROTOCOL.md, sections 6 and 7).
 *
 * A refusal is a result; only a store in trouble throws (`store_full`, `store_unavailable`).
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  find(id: string): SubscriptionRecord | undefined {
    return this.#options.reader.find(id);
  }

  /** All streams of a subscription, with their cursors. */
  links({ incarnation }: SubscriptionRecord): LinkState[] {
    return this.#options.reader.links(incarnation);
  }

  /** The key that webhooks are signed with; made when it is first asked for. */
  signingKey(): Promise<SigningKey> {
    return this.#options.keys.load();
  }

  /** Creates a subscription, or confirms that it is there as asked for. */
  async subscribe({
    id,
    config,
    streams,
    baseUrl,
  }: SubscribeAsked): Promise<Subscribed | SubscriptionRefused> {
    const named = [...new Set(streams)].toSorted();
    return this.#propose("subscribed", {
      kind: "subscribe",
      id,
      time: this.#options.clock.now(),
      config,
      streams: named,
      configHash: hashOf(config, named),
      baseUrl,
    });
  }

  /** Deletes a subscription; that it is gone already is no error. */
  async unsubscribe({ incarnation }: SubscriptionRecord): Promise<void> {
    await this.#options.log.propose([{ kind: "unsubscribe", subscription: incarnation }]);
  }

  async linkStreams(
    { incarnation }: SubscriptionRecord,
    streams: readonly string[],
  ): Promise<SubscriptionChanged | SubscriptionRefused> {
    return this.#propose("subscription-changed", {
      kind: "link-streams",
      subscription: incarnation,
      streams: [...new Set(streams)],
    });
  }

  async unlinkStream(
    { incarnation }: SubscriptionRecord,
    stream: string,
  ): Promise<SubscriptionChanged | SubscriptionRefused> {
    return this.#propose("subscription-changed", {
      kind: "unlink-stream",
      subscription: incarnation,
      stream,
    });
  }

  /** Gives a pull-wake subscription to a worker, with the token that it acknowledges by. */
  async claim(
    { incarnation }: SubscriptionRecord,
    worker: string,
  ): Promise<(Claimed & { readonly token: string }) | SubscriptionRefused> {
    const { clock } = this.#options;
    const key = await this.signingKey();
    const time = clock.now();
    const existing = this.#options.reader.byIncarnation(incarnation);
    // A lease whose time is over holds nobody up, even if its end was not noticed yet.
    const over = existing === undefined ? undefined : overLease(existing, time);
    const claim = { kind: "claim" as const, subscription: incarnation, worker, time };
    const result = await this.#propose("claimed", ...(over === undefined ? [claim] : [over, claim]));
    if (result.kind === "subscription-refused") return result;
    return { ...result, token: signWakeToken(result, { secret: key.tokenSecret, now: time }) };
  }

  /**
   * What a worker's token was given for.
   *
   * @throws {ChanctlError} `token_invalid`, `token_expired`.
   */
  async verifyToken(token: string): Promise<WakeClaim> {
    const { tokenSecret } = await this.signingKey();
    const claim = verifyWakeToken(token, tokenSecret);
    if (claim === undefined) throw new ChanctlError("token_invalid", "the token is none of a wake");
    if (claim.expiresAt <= this.#options.clock.now())
      throw new ChanctlError("token_expired", "the token's time is over");
    return claim;
  }

  /** Moves cursors on, and extends or ends the lease. */
  async ack(
    wake: WakeNamed,
    { acks, isDone }: { readonly acks: readonly Ack[]; readonly isDone: boolean },
  ): Promise<SubscriptionChanged | SubscriptionRefused> {
    return this.#propose("subscription-changed", {
      kind: "ack",
      ...toHold(wake),
      acks,
      isDone,
      time: this.#options.clock.now(),
    });
  }

  /** Gives the lease back with the work undone. */
  async release(wake: WakeNamed): Promise<SubscriptionChanged | SubscriptionRefused> {
    return this.#propose("subscription-changed", { kind: "release", ...toHold(wake) });
  }

  /** @returns the result of the last operation. */
  async #propose<Kind extends Result["kind"]>(
    kind: Kind,
    ...operations: readonly SubscriptionOperation[]
  ): Promise<Extract<Result, { kind: Kind }> | SubscriptionRefused> {
    const results = await this.#options.log.propose(operations);
    const result = results.at(-1);
    if (result?.kind === "subscription-refused" || isOf(kind, result)) return result;
    throw new Error(`a \`${operations.at(-1)?.kind}\` came to \`${result?.kind}\``);
  }
}

/** What ends a subscription's lease; `undefined` while it lasts. */
export function overLease(
  { incarnation, generation, leaseEndsAt }: SubscriptionRecord,
  now: number,
): EndLeaseOperation | undefined {
  if (leaseEndsAt === null || leaseEndsAt > now) return undefined;
  return { kind: "end-lease", subscription: incarnation, generation, leaseEndsAt };
}

function isOf<Kind extends Result["kind"]>(
  kind: Kind,
  result: Result | undefined,
): result is Extract<Result, { kind: Kind }> {
  return result?.kind === kind;
}

function toHold({ id, wakeId, generation, token }: WakeNamed) {
  return { id, wakeId, generation, subscription: token.subscription, tokenGeneration: token.generation };
}

/** The digest by which a repeat is known (PROTOCOL.md, section 6.2); streams that are named later are not in it. */
function hashOf(config: SubscriptionConfig, streams: readonly string[]): string {
  const { type, pattern, webhookUrl, wakeStream, leaseTtlMs, description } = config;
  const parts = [type, pattern, streams, webhookUrl, wakeStream, leaseTtlMs, description];
  return createHash("sha256")
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest("base64url");
}
