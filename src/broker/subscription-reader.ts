import type { Database } from "better-sqlite3";
import { readStore } from "./read-store.ts";
import { SUBSCRIPTION_COLUMNS } from "./subscription-record.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import type { LinkState } from "./subscription-operation.ts";
import { createSnapshots } from "./subscription-snapshot.ts";
import type { SubscriptionSnapshots } from "./subscription-snapshot.ts";

interface AttemptsPage {
  /** The last of the page before. @default the first page */
  readonly after: SubscriptionRecord | undefined;
  readonly limit: number;
}

/** Reads subscriptions, and what of them is due. Each call is one synchronous read. */
export class SubscriptionReader {
  readonly #db: Database;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #snapshots: SubscriptionSnapshots;

  constructor(db: Database) {
    this.#db = db;
    this.#sql = prepare(db);
    this.#snapshots = createSnapshots(db);
  }

  find(id: string): SubscriptionRecord | undefined {
    return readStore(this.#db, () => this.#sql.byId.get(id));
  }

  byIncarnation(incarnation: number): SubscriptionRecord | undefined {
    return readStore(this.#db, () => this.#sql.byIncarnation.get(incarnation));
  }

  /** All streams of a subscription. */
  links(subscription: number): LinkState[] {
    return readStore(this.#db, () => this.#snapshots.all(subscription));
  }

  /** What a wake tells of the streams: the pending ones first, a bounded number. */
  snapshot(subscription: number, limit: number): LinkState[] {
    return readStore(this.#db, () => this.#snapshots.ofWake(subscription, limit));
  }

  /** Whether there are any. */
  hasAny(): boolean {
    return readStore(this.#db, () => this.#sql.any.get() !== undefined);
  }

  hasPending(subscription: number): boolean {
    return readStore(this.#db, () => this.#sql.pending.get(subscription) !== undefined);
  }

  /** Those that wait for nothing but a wake, by their incarnation. */
  idleWithPending(): number[] {
    return this.#incarnations(() => this.#sql.idleWithPending.all());
  }

  /** Idle ones that a stream's append wakes. */
  idleLinkedTo(path: string): number[] {
    return this.#incarnations(() => this.#sql.idleLinkedTo.all(path));
  }

  /** Idle ones that write their wakes to a stream. */
  idleWakingBy(wakeStream: string): number[] {
    return this.#incarnations(() => this.#sql.idleWakingBy.all(wakeStream));
  }

  /** Idle ones whose next attempt was put off until now. */
  idleToAttempt(now: number): number[] {
    return this.#incarnations(() => this.#sql.idleToAttempt.all(now));
  }

  /** Leases whose time is over at `now`, the most overdue first. */
  leasesOver(now: number, limit: number): SubscriptionRecord[] {
    return readStore(this.#db, () => this.#sql.leasesOver.all(now, limit));
  }

  /** A page of the webhooks that are due at `now`, the most overdue first; those too that are under way. */
  attemptsDue(now: number, { after, limit }: AttemptsPage): SubscriptionRecord[] {
    const { nextAttemptAt, incarnation } = after ?? {};
    return readStore(this.#db, () =>
      this.#sql.attemptsDue.all(now, nextAttemptAt ?? 0, incarnation ?? 0, limit),
    );
  }

  /** When the next lease ends or the next attempt is due, in ms since 1970; `undefined` if nothing is. */
  nextDue(now: number): number | undefined {
    return readStore(this.#db, () => this.#sql.nextDue.get({ now })?.time ?? undefined);
  }

  signingKey(): string | undefined {
    return readStore(this.#db, () => this.#sql.signingKey.get()?.privateKey);
  }

  #incarnations(read: () => readonly { readonly incarnation: number }[]): number[] {
    return readStore(this.#db, () => read().map(({ incarnation }) => incarnation));
  }
}

interface Incarnation {
  readonly incarnation: number;
}

function prepare(db: Database) {
  const select = `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscriptions`;
  return {
    byId: db.prepare<[string], SubscriptionRecord>(`${select} WHERE id = ?`),
    byIncarnation: db.prepare<[number], SubscriptionRecord>(`${select} WHERE incarnation = ?`),
    any: db.prepare<[]>("SELECT 1 FROM subscriptions LIMIT 1"),
    pending: db.prepare<[number]>(
      "SELECT 1 FROM subscription_links WHERE subscription = ? AND is_pending = 1 LIMIT 1",
    ),
    idleWithPending: db.prepare<[], Incarnation>(
      `SELECT incarnation FROM subscriptions s WHERE state = 'idle' AND EXISTS
         (SELECT 1 FROM subscription_links l WHERE l.subscription = s.incarnation AND l.is_pending = 1)`,
    ),
    idleLinkedTo: db.prepare<[string], Incarnation>(
      `SELECT s.incarnation FROM subscription_links l JOIN subscriptions s ON s.incarnation = l.subscription
       WHERE l.path = ? AND l.is_pending = 1 AND s.state = 'idle'`,
    ),
    idleWakingBy: db.prepare<[string], Incarnation>(
      "SELECT incarnation FROM subscriptions WHERE wake_stream = ? AND state = 'idle'",
    ),
    idleToAttempt: db.prepare<[number], Incarnation>(
      "SELECT incarnation FROM subscriptions WHERE next_attempt_at <= ? AND state = 'idle'",
    ),
    leasesOver: db.prepare<[number, number], SubscriptionRecord>(
      `${select} WHERE lease_ends_at <= ? ORDER BY lease_ends_at LIMIT ?`,
    ),
    attemptsDue: db.prepare<[number, number, number, number], SubscriptionRecord>(
      `${select} WHERE next_attempt_at <= ? AND (next_attempt_at, incarnation) > (?, ?) AND state = 'leased'
       ORDER BY next_attempt_at, incarnation LIMIT ?`,
    ),
    // What is due already is under way or waits for its turn: only what comes later needs a timer.
    nextDue: db.prepare<[{ now: number }], { time: number | null }>(
      `SELECT min(time) AS time FROM (
         SELECT min(lease_ends_at) AS time FROM subscriptions WHERE lease_ends_at > @now
         UNION ALL
         SELECT min(next_attempt_at) FROM subscriptions WHERE next_attempt_at > @now)`,
    ),
    signingKey: db.prepare<[], { privateKey: string }>(
      "SELECT private_key AS privateKey FROM signing_keys LIMIT 1",
    ),
  };
}
