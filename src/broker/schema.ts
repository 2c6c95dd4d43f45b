import type { Database } from "better-sqlite3";
import { ChanctlError } from "../shared/errors.ts";

/** Whether a stream holds more than it may. Not with OR: SQLite would not take the partial index for it. */
export const OVER_LIMIT =
  "max(max_messages > 0 AND tail - oldest > max_messages, max_bytes > 0 AND bytes > max_bytes) > 0";

/**
 * The schema, as numbered migrations: the store's `user_version` is how many have run. A migration that has
 * been released never changes; the next change is the next entry.
 *
 * - `streams`: one row a stream that was ever written. The path of a channel's stream begins with the channel's name,
 *   that of a stream of Durable Streams with a slash. `incarnation` names its present life; a message's
 *   position counts on from 0 within it. Rows from `oldest` (exclusive) to `tail` (inclusive) are retained.
 *   `has_earlier_life` remembers that something before this life was dropped, so that the offset "before the
 *   first message ever" is honest. So a channel's row is never deleted, however long its stream has been dropped: without it
 *   a client that still stands at that offset would be let in to the next life, and never hear of the one it missed;
 *   and refusing that offset wherever there is no row would refuse those who missed nothing. A dropped room costs its
 *   row, some 100 bytes, and only publishing makes one. A fork reads the rows of `parent`, an incarnation, up to
 *   `fork_position`, and its own after that; a stream that is deleted while forks read from it stays, with
 *   `is_deleted`. `ttl_ms` counts from `touched_at`.
 * - `messages`: all streams in one append-only rowid table (a packed or WITHOUT ROWID key costs 2.7–6 times as
 *   much). `position` is where the message ends, so "after an offset" is one range of the index. JSON is TEXT
 *   because BLOB columns read several times slower.
 * - `ended_lives`: incarnations that are over and may still have messages to sweep.
 * - `producers`: idempotent producers of Durable Streams.
 * - `subscriptions`: subscriptions of Durable Streams, by an incarnation that is never given to another. `state` is
 *   `idle`, `woken` (a wake was written, nobody has claimed it) or `leased`. `pattern_prefix` is what of the pattern
 *   comes before its first wildcard: a new stream asks only for the prefixes that it has.
 * - `subscription_links`: their cursors. `incarnation` is the life of the stream that `acked` is a position in, 0 while
 *   there is no stream. `is_pending` is kept by whoever appends and acknowledges, so that nobody has to compare
 *   a cursor with a tail for each of a subscription's streams.
 * - `signing_keys`: what webhooks are signed with.
 * - `keys_0`, `keys_1`: idempotency keys; writes go to the current one, both are read, they swap daily.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) WITHOUT ROWID;
  INSERT INTO meta VALUES ('next_incarnation', 1), ('last_time', 0), ('key_generation', 0), ('keys_rotated_at', 0);

  CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    incarnation INTEGER NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    tail INTEGER NOT NULL DEFAULT 0,
    oldest INTEGER NOT NULL DEFAULT 0,
    oldest_time INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    last_time INTEGER NOT NULL DEFAULT 0,
    has_earlier_life INTEGER NOT NULL DEFAULT 0,
    is_closed INTEGER NOT NULL DEFAULT 0,
    last_seq TEXT,
    closed_by TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    ttl_ms INTEGER,
    expires_at INTEGER,
    touched_at INTEGER NOT NULL DEFAULT 0,
    parent INTEGER,
    fork_position INTEGER NOT NULL DEFAULT 0,
    replay_window_ms INTEGER NOT NULL,
    inactivity_ttl_ms INTEGER NOT NULL,
    max_messages INTEGER NOT NULL,
    max_bytes INTEGER NOT NULL
  );
  CREATE INDEX streams_by_trim_time ON streams (oldest_time + replay_window_ms) WHERE tail > oldest;
  CREATE INDEX streams_over_limit ON streams (id) WHERE ${OVER_LIMIT};
  CREATE INDEX streams_by_parent ON streams (parent) WHERE parent IS NOT NULL;
  CREATE INDEX streams_by_expiry ON streams (coalesce(expires_at, touched_at + ttl_ms))
    WHERE is_deleted = 0 AND (expires_at IS NOT NULL OR ttl_ms IS NOT NULL);
  CREATE INDEX streams_by_drop_time ON streams (last_time + inactivity_ttl_ms) WHERE inactivity_ttl_ms > 0 AND tail > 0;

  CREATE TABLE messages (
    rowid INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    time INTEGER NOT NULL,
    body NOT NULL
  );
  CREATE UNIQUE INDEX messages_by_position ON messages (incarnation, position);

  CREATE TABLE ended_lives (
    incarnation INTEGER PRIMARY KEY
  );

  CREATE TABLE producers (
    incarnation INTEGER NOT NULL,
    producer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    last_time INTEGER NOT NULL,
    PRIMARY KEY (incarnation, producer)
  ) WITHOUT ROWID;
  CREATE INDEX producers_by_time ON producers (last_time);

  CREATE TABLE subscriptions (
    incarnation INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    pattern TEXT,
    pattern_prefix TEXT,
    webhook_url TEXT,
    wake_stream TEXT,
    lease_ttl_ms INTEGER NOT NULL,
    description TEXT,
    config_hash TEXT NOT NULL,
    base_url TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'idle',
    generation INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    lease_ends_at INTEGER,
    next_attempt_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX subscriptions_by_prefix ON subscriptions (pattern_prefix) WHERE pattern_prefix IS NOT NULL;
  CREATE INDEX subscriptions_by_wake_stream ON subscriptions (wake_stream) WHERE wake_stream IS NOT NULL;
  CREATE INDEX subscriptions_by_lease_end ON subscriptions (lease_ends_at) WHERE lease_ends_at IS NOT NULL;
  CREATE INDEX subscriptions_by_attempt ON subscriptions (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

  CREATE TABLE subscription_links (
    subscription INTEGER NOT NULL,
    path TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    is_explicit INTEGER NOT NULL,
    is_glob INTEGER NOT NULL,
    is_pending INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, path)
  ) WITHOUT ROWID;
  CREATE INDEX subscription_links_by_path ON subscription_links (path);
  CREATE INDEX subscription_links_pending ON subscription_links (subscription, path) WHERE is_pending = 1;

  CREATE TABLE signing_keys (
    name TEXT PRIMARY KEY,
    private_key TEXT NOT NULL
  ) WITHOUT ROWID;

  ${["keys_0", "keys_1"].map(createKeyTable).join("\n")}
  `,
];

/** The schema that this chanctl writes: how many migrations there are. */
export const KNOWN_SCHEMA: number = MIGRATIONS.length;

/**
 * Brings a store to the present schema.
 *
 * @throws {ChanctlError} `store_newer` if a later version of chanctl wrote it.
 */
export function migrate(db: Database, file: string): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  if (version > MIGRATIONS.length) {
    throw new ChanctlError(
      "store_newer",
      `the store ${file} has schema ${version}; this chanctl knows schemas up to ${MIGRATIONS.length}`,
      { hint: "npm install chanctl@latest     or move the file away to begin an empty store" },
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** Idempotency keys: two tables, of which one is emptied each day. */
function createKeyTable(name: string): string {
  return `CREATE TABLE ${name} (
    stream INTEGER NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (stream, owner, key)
  ) WITHOUT ROWID;`;
}
