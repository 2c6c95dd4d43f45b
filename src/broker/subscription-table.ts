import type { Database } from "better-sqlite3";
import { literalPrefixOf } from "../protocol/durable-streams/glob.ts";
import type { SubscribeOperation } from "./subscription-operation.ts";
import { SUBSCRIPTION_COLUMNS } from "./subscription-record.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";

/** What of a subscription changes by its wakes. */
export type SubscriptionPhase = Pick<
  SubscriptionRecord,
  "state" | "generation" | "holder" | "leaseEndsAt" | "nextAttemptAt" | "failures"
>;

/** What the operations of subscriptions read and write of `subscriptions`, as statements. */
export interface SubscriptionTable {
  byId(id: string): SubscriptionRecord | undefined;
  byIncarnation(incarnation: number): SubscriptionRecord | undefined;
  count(): number;
  insert(incarnation: number, operation: SubscribeOperation): void;
  setBaseUrl(incarnation: number, baseUrl: string): void;
  /** Changes what is given and leaves the rest. */
  update(subscription: SubscriptionRecord, change: Partial<SubscriptionPhase>): void;
  remove(incarnation: number): void;
  /** Forgets the wakes that were written to a stream and claimed by nobody: nobody will read them any more. */
  forgetWakes(wakeStream: string): void;
  signingKey(): string | undefined;
  setSigningKey(privateKey: string): void;
}

const SIGNING_KEY = "webhook";

/** Prepares the statements. */
export function createSubscriptionTable(db: Database): SubscriptionTable {
  const sql = prepare(db);
  return {
    byId: (id) => sql.byId.get(id),
    byIncarnation: (incarnation) => sql.byIncarnation.get(incarnation),
    count: () => sql.count.get()?.count ?? 0,
    insert(incarnation, { id, time, config, configHash, baseUrl }) {
      const { type, pattern, webhookUrl, wakeStream, leaseTtlMs, description } = config;
      sql.insert.run({
        incarnation,
        id,
        type,
        pattern: pattern ?? null,
        patternPrefix: pattern === undefined ? null : literalPrefixOf(pattern),
        webhookUrl: webhookUrl ?? null,
        wakeStream: wakeStream ?? null,
        leaseTtlMs,
        description: description ?? null,
        configHash,
        baseUrl,
        createdAt: time,
      });
    },
    setBaseUrl: (incarnation, baseUrl) => void sql.setBaseUrl.run(baseUrl, incarnation),
    update: ({ incarnation, ...now }, change) => void sql.update.run({ ...now, ...change, incarnation }),
    remove: (incarnation) => void sql.remove.run(incarnation),
    forgetWakes: (path) => void sql.forgetWakes.run(path),
    signingKey: () => sql.signingKey.get(SIGNING_KEY)?.privateKey,
    setSigningKey: (privateKey) => void sql.setSigningKey.run(SIGNING_KEY, privateKey),
  };
}

type InsertedRow = Omit<SubscriptionRecord, keyof SubscriptionPhase> & {
  readonly patternPrefix: string | null;
};

function prepare(db: Database) {
  return {
    byId: db.prepare<[string], SubscriptionRecord>(
      `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE id = ?`,
    ),
    byIncarnation: db.prepare<[number], SubscriptionRecord>(
      `SELECT ${SUBSCRIPTION_COLUMNS} FROM subscriptions WHERE incarnation = ?`,
    ),
    count: db.prepare<[], { count: number }>("SELECT count(*) AS count FROM subscriptions"),
    insert: db.prepare<[InsertedRow]>(
      `INSERT INTO subscriptions (incarnation, id, type, pattern, pattern_prefix, webhook_url, wake_stream,
         lease_ttl_ms, description, config_hash, base_url, created_at)
       VALUES (@incarnation, @id, @type, @pattern, @patternPrefix, @webhookUrl, @wakeStream,
         @leaseTtlMs, @description, @configHash, @baseUrl, @createdAt)`,
    ),
    setBaseUrl: db.prepare<[string, number]>("UPDATE subscriptions SET base_url = ? WHERE incarnation = ?"),
    update: db.prepare<[SubscriptionPhase & { readonly incarnation: number }]>(
      `UPDATE subscriptions SET state = @state, generation = @generation, holder = @holder,
         lease_ends_at = @leaseEndsAt, next_attempt_at = @nextAttemptAt, failures = @failures
       WHERE incarnation = @incarnation`,
    ),
    remove: db.prepare<[number]>("DELETE FROM subscriptions WHERE incarnation = ?"),
    forgetWakes: db.prepare<[string]>(
      "UPDATE subscriptions SET state = 'idle' WHERE wake_stream = ? AND state = 'woken'",
    ),
    signingKey: db.prepare<[string], { privateKey: string }>(
      "SELECT private_key AS privateKey FROM signing_keys WHERE name = ?",
    ),
    setSigningKey: db.prepare<[string, string]>("INSERT INTO signing_keys (name, private_key) VALUES (?, ?)"),
  };
}
