import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Operation } from "./operation.ts";
import type { SigningKeys } from "./signing-key.ts";
import { SubscriptionNotes } from "./subscription-notes.ts";
import type { WakeOperation } from "./subscription-operation.ts";
import type { SubscriptionReader } from "./subscription-reader.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import { overLease } from "./subscriptions.ts";
import type { WebhookSender } from "./webhook.ts";
import { WebhookAttempts } from "./webhook-attempts.ts";

export interface SubscriptionSchedulerOptions {
  readonly log: Log;
  readonly reader: SubscriptionReader;
  readonly clock: Clock;
  readonly keys: SigningKeys;
  readonly logger: Logger;
  readonly sender: WebhookSender;
  /** From when on a webhook without an answer gives way to others, in ms. @default 5,000 */
  readonly slowAfterMs?: number;
}

/** Leases and webhooks looked at in one step: reading them must not hold up anybody. */
const STEP = 200;
/** A store that takes nothing is asked again after this, in ms. */
const RETRY_MS = 1_000;
/** No timer of Node's reaches further than 2³¹ ms; a look in between costs nothing. */
const MAX_SLEEP_MS = 60_000;

/**
 * Notices what of subscriptions is due, and proposes it: wakes of idle ones with pending work, ends of leases,
 * attempts of webhooks. All that it knows is in the store, so it goes on after a restart where it was. One timer serves
 * all.
 */
export class SubscriptionScheduler {
  readonly #options: SubscriptionSchedulerOptions;
  readonly #attempts: WebhookAttempts;
  readonly #unfollow: () => void;
  readonly #notes = new SubscriptionNotes();
  /** Subscriptions that nobody could be told of, by their incarnation: each is logged once. */
  readonly #mute = new Set<number>();
  #turn: NodeJS.Immediate | undefined;
  #timer: { readonly at: number; readonly timeout: NodeJS.Timeout } | undefined;
  #round: Promise<void> | undefined;
  /** In how many ms to look again for what has room now; `undefined`: nothing has settled since the last look began. */
  #roomInMs: number | undefined;
  #isClosed = false;

  constructor(options: SubscriptionSchedulerOptions) {
    this.#options = options;
    this.#attempts = new WebhookAttempts({ ...options, onSettled: (delayMs) => this.#settle(delayMs) });
    this.#unfollow = options.log.follow({
      onCommitted: (batch) => {
        for (const committed of batch) this.#notes.add(committed);
        if (!this.#notes.isEmpty) this.#runSoon();
      },
      onUncertain: () => {
        this.#notes.addAll();
        this.#runSoon();
      },
    });
    this.#runSoon();
  }

  /** Once a turn of the event loop: whatever was committed in it is looked at together. */
  #runSoon(): void {
    if (this.#isClosed) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      void this.#run();
    });
  }

  /** The earliest wins: a look that was not needed does no harm. */
  #runAfter(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.at <= at)) return;
    clearTimeout(this.#timer?.timeout);
    const onDue = (): void => {
      this.#timer = undefined;
      this.#runSoon();
    };
    const timeout = setTimeout(onDue, Math.min(delayMs, MAX_SLEEP_MS));
    timeout.unref();
    this.#timer = { at, timeout };
  }

  /** One round at a time; it looks itself at what is noted meanwhile. Never rejects. */
  async #run(): Promise<void> {
    if (this.#round !== undefined || this.#isClosed) return;
    this.#round = this.#runRound();
    await this.#round;
    this.#round = undefined;
  }

  async #runRound(): Promise<void> {
    const { reader, clock, logger } = this.#options;
    try {
      const startedAt = clock.now();
      await this.#endLeases();
      await this.#wake();
      const now = clock.now();
      await this.#attempt(now);
      // From the start of the round: what has become due in the middle of it was not seen by all of its steps.
      const next = reader.nextDue(startedAt);
      if (next !== undefined) this.#runAfter(Math.max(0, next - clock.now()));
      if (!this.#notes.isEmpty) this.#runAfter(0);
    } catch (cause) {
      const message = `subscriptions have to wait: ${messageOf(cause)}`;
      logger({ level: "warn", event: "subscriptions-failed", message });
      // What was noted may be lost with it.
      this.#notes.addAll();
      this.#runAfter(RETRY_MS);
    }
  }

  /** A page a turn: of thousands that are due, all may wait for one origin that does not answer. */
  async #attempt(now: number): Promise<void> {
    let after: SubscriptionRecord | undefined;
    this.#roomInMs = undefined;
    for (;;) {
      const due = this.#options.reader.attemptsDue(now, { after, limit: STEP });
      this.#attempts.start(due);
      if (due.length < STEP || !this.#attempts.hasRoom) break;
      after = due.at(-1);
      await nextTurn();
    }
    // What has settled between two pages may have made room for what was on the first.
    if (this.#roomInMs !== undefined) this.#runAfter(this.#roomInMs);
  }

  #settle(delayMs: number): void {
    this.#roomInMs = Math.min(delayMs, this.#roomInMs ?? delayMs);
    this.#runAfter(delayMs);
  }

  async #endLeases(): Promise<void> {
    const { reader, clock, log } = this.#options;
    for (;;) {
      const now = clock.now();
      const over = reader.leasesOver(now, STEP);
      const proposals = over.map((subscription): Operation[] => {
        const end = overLease(subscription, now);
        // Whoever has not answered a webhook by then has not taken it.
        const failure = this.#attempts.abandon(subscription);
        return [...(failure === undefined ? [] : [failure]), ...(end === undefined ? [] : [end])];
      });
      await Promise.all(proposals.map((operations) => log.propose(operations)));
      if (over.length < STEP || this.#isClosed) return;
    }
  }

  async #wake(): Promise<void> {
    const { reader, clock, log } = this.#options;
    const now = clock.now();
    const candidates = this.#notes.take(reader);
    for (const each of reader.idleToAttempt(now)) candidates.add(each);
    const due = [...candidates].flatMap((incarnation) => this.#wakeOf(incarnation, now));
    await Promise.all(
      due.map(async (wake) => {
        const [result] = await log.propose([wake]);
        if (result?.kind === "not-woken") this.#warnMute(wake.subscription, result.wakeStream);
        else this.#mute.delete(wake.subscription);
      }),
    );
  }

  #wakeOf(incarnation: number, now: number): WakeOperation[] {
    const { reader } = this.#options;
    const subscription = reader.byIncarnation(incarnation);
    if (subscription === undefined) this.#attempts.cancel(incarnation);
    if (subscription?.state !== "idle") return [];
    const { generation, nextAttemptAt } = subscription;
    if (nextAttemptAt !== null && nextAttemptAt > now) return [];
    // One that was put off is proposed even with nothing pending: that takes it off the schedule.
    if (nextAttemptAt === null && !reader.hasPending(incarnation)) return [];
    return [{ kind: "wake", subscription: incarnation, generation, time: now }];
  }

  #warnMute(subscription: number, wakeStream: string): void {
    if (this.#mute.has(subscription)) return;
    this.#mute.add(subscription);
    const { reader, logger } = this.#options;
    const id = reader.byIncarnation(subscription)?.id;
    const message = `the subscription \`${id}\` wakes nobody: its wake stream \`${wakeStream.slice(1)}\` is not there, or closed, or not JSON`;
    logger({ level: "warn", event: "wake-stream-missing", message });
  }

  /** Begins nothing more and breaks off what is under way: it is due again after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unfollow();
    clearImmediate(this.#turn);
    clearTimeout(this.#timer?.timeout);
    await this.#attempts.close();
    await this.#round;
  }
}
