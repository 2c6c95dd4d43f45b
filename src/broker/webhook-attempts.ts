import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { SigningKeys } from "./signing-key.ts";
import type { DeliveredOperation, DeliveryFailedOperation, LinkState } from "./subscription-operation.ts";
import type { SubscriptionReader } from "./subscription-reader.ts";
import { wakeIdOf } from "./subscription-record.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import { MAX_SNAPSHOT } from "./subscription-snapshot.ts";
import { encodeWebhook } from "./webhook.ts";
import type { WebhookSender } from "./webhook.ts";

export interface WebhookAttemptsOptions {
  readonly log: Log;
  readonly reader: SubscriptionReader;
  readonly clock: Clock;
  readonly keys: SigningKeys;
  readonly logger: Logger;
  readonly sender: WebhookSender;
  /** Called when there may be room for another attempt; `delayMs` after it, where the store did not take the outcome. */
  readonly onSettled: (delayMs: number) => void;
  /** From 0 up to 1. @default Math.random */
  readonly random?: () => number;
  /** From when on an attempt without an answer counts as slow, in ms. @default 5,000 */
  readonly slowAfterMs?: number;
}

/** How many are under way at a time that are not slow; the others wait, the most overdue first. */
const MAX_QUICK_ATTEMPTS = 64;
/** Slow ones give way to the others up to here: a hundred receivers that never answer hold up nobody (CWE-400). */
const MAX_ATTEMPTS = 1_024;
const SLOW_AFTER_MS = 5_000;
/** How many of them go to one origin: a receiver that never answers holds up nobody but itself (CWE-400). */
const MAX_ATTEMPTS_PER_ORIGIN = 8;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
const JITTER = 0.2;
const STORE_RETRY_MS = 1_000;

interface Attempt {
  readonly subscription: number;
  readonly aborted: AbortController;
  readonly settled: Promise<void>;
}

/** The webhooks that are under way: one a wake, and a bounded number to an origin and in all. */
export class WebhookAttempts {
  readonly #options: WebhookAttemptsOptions;
  /** By the wake's id: who has called back may still be answering when the next wake is due. */
  readonly #underWay = new Map<string, Attempt>();
  /** How many are under way to an origin; none is no entry. */
  readonly #byOrigin = new Map<string, number>();
  #slow = 0;
  #isClosed = false;

  constructor(options: WebhookAttemptsOptions) {
    this.#options = options;
  }

  /** Whether anything more may begin. */
  get hasRoom(): boolean {
    const { size } = this.#underWay;
    return !this.#isClosed && size < MAX_ATTEMPTS && size - this.#slow < MAX_QUICK_ATTEMPTS;
  }

  /** Begins what of the due attempts is not under way, as far as there is room, in all and for each origin. */
  start(due: readonly SubscriptionRecord[]): void {
    for (const subscription of due) {
      if (!this.hasRoom) return;
      const wakeId = wakeIdOf(subscription);
      const origin = originOf(subscription);
      const toOrigin = this.#byOrigin.get(origin) ?? 0;
      if (this.#underWay.has(wakeId) || toOrigin >= MAX_ATTEMPTS_PER_ORIGIN) continue;
      this.#byOrigin.set(origin, toOrigin + 1);
      const aborted = new AbortController();
      const endSlow = this.#watch();
      const settled = this.#attempt(subscription, aborted.signal).then((delayMs) => {
        this.#underWay.delete(wakeId);
        endSlow();
        this.#leave(origin);
        if (!this.#isClosed) this.#options.onSettled(delayMs);
      });
      this.#underWay.set(wakeId, { subscription: subscription.incarnation, aborted, settled });
    }
  }

  /** Counts an attempt as slow once it is. @returns what ends that. */
  #watch(): () => void {
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      this.#slow += 1;
      if (!this.#isClosed) this.#options.onSettled(0);
    }, this.#options.slowAfterMs ?? SLOW_AFTER_MS);
    timer.unref();
    return () => {
      clearTimeout(timer);
      if (isSlow) this.#slow -= 1;
    };
  }

  #leave(origin: string): void {
    const left = (this.#byOrigin.get(origin) ?? 1) - 1;
    if (left === 0) this.#byOrigin.delete(origin);
    else this.#byOrigin.set(origin, left);
  }

  /** Breaks the attempt of a wake off whose lease is over. @returns what notes that it has failed, if there was one. */
  abandon(subscription: SubscriptionRecord): DeliveryFailedOperation | undefined {
    const attempt = this.#underWay.get(wakeIdOf(subscription));
    if (attempt === undefined) return undefined;
    attempt.aborted.abort();
    return this.#failureOf(subscription);
  }

  /** Breaks off what is under way for a subscription that was deleted. */
  cancel(subscription: number): void {
    for (const attempt of this.#underWay.values()) {
      if (attempt.subscription === subscription) attempt.aborted.abort();
    }
  }

  /** Breaks all off; nothing is noted of them, so they are due after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const attempts = [...this.#underWay.values()];
    for (const { aborted } of attempts) aborted.abort();
    await Promise.all(attempts.map(({ settled }) => settled));
  }

  /** Never rejects. @returns when to look for what is due again, in ms. */
  async #attempt({ incarnation, generation }: SubscriptionRecord, signal: AbortSignal): Promise<number> {
    const { log, reader, clock, keys, sender, logger } = this.#options;
    try {
      const key = await keys.load();
      const subscription = reader.byIncarnation(incarnation);
      if (subscription?.generation !== generation || subscription.state !== "leased") return 0;
      const streams = reader.snapshot(subscription.incarnation, MAX_SNAPSHOT);
      // Receivers compare the signature's time with their own clocks, and ours may be on its way to the right time.
      const times = { now: clock.now(), wallTime: Date.now() };
      const outcome = await sender.send(encodeWebhook(subscription, streams, { key, ...times }), signal);
      if (signal.aborted) return 0;
      if (outcome.kind === "failed") {
        const { id, failures } = subscription;
        const message = `the webhook of the subscription \`${id}\` failed (${failures + 1} in a row): ${outcome.message}`;
        logger({ level: "warn", event: "webhook-failed", message });
        await log.propose([this.#failureOf(subscription)]);
      } else await log.propose([toDelivered(subscription, outcome.kind === "done" ? streams : undefined)]);
      return 0;
    } catch (cause) {
      // It is still due: the receiver gets it once more.
      const message = `a webhook could not be sent or noted: ${messageOf(cause)}`;
      logger({ level: "warn", event: "webhook-failed", message });
      return STORE_RETRY_MS;
    }
  }

  /** @see PROTOCOL.md, section 7.1: from 1 s up to 60 s, with a jitter of 20 % */
  #failureOf({ incarnation, generation, failures }: SubscriptionRecord): DeliveryFailedOperation {
    const { clock, random = Math.random } = this.#options;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
    const jittered = Math.round(delayMs * (1 + JITTER * (random() * 2 - 1)));
    return {
      kind: "delivery-failed",
      subscription: incarnation,
      generation,
      failures,
      nextAttemptAt: clock.now() + jittered,
    };
  }
}

/** What is no URL is an origin of its own: its attempt says why it fails. */
function originOf({ webhookUrl }: SubscriptionRecord): string {
  const url = webhookUrl ?? "";
  return URL.canParse(url) ? new URL(url).origin : url;
}

function toDelivered(
  { incarnation, generation }: SubscriptionRecord,
  done: readonly LinkState[] | undefined,
): DeliveredOperation {
  return {
    kind: "delivered",
    subscription: incarnation,
    generation,
    ...(done === undefined ? {} : { done: done.filter(({ isPending }) => isPending).map(toAck) }),
  };
}

function toAck({ stream, incarnation, tail }: LinkState) {
  return { stream, incarnation, position: tail };
}
