import type { Database } from "better-sqlite3";
import { literalPrefixOf, matchesGlob } from "../protocol/durable-streams/glob.ts";
import type { LinkState } from "./subscription-operation.ts";
import { createSnapshots } from "./subscription-snapshot.ts";

/** A cursor, as a row of `subscription_links`. */
export interface LinkRecord {
  /** The life that `acked` is a position in; 0 while there is no stream. */
  readonly incarnation: number;
  readonly acked: number;
}

/** A raw stream that is there, as far as links are concerned. */
export interface LinkedStream {
  readonly path: string;
  readonly incarnation: number;
  readonly tail: number;
}

/** The cursors of subscriptions. Whoever changes a stream says so here, in the same transaction. */
export interface SubscriptionLinks {
  /**
   * A raw stream has begun, and nothing is in it but what it inherits: those who named it, and those whose pattern
   * covers it, begin there, so that even its initial body is pending (PROTOCOL.md, section 6.2).
   */
  noteCreated(stream: LinkedStream): void;
  /** Something was appended to a raw stream. */
  noteAppended(path: string): void;
  /** A raw stream is gone: named links wait for the next one at the path, links of patterns end. */
  noteDeleted(path: string): void;
  /** Links a stream that a subscription names, at its tail. */
  name(subscription: number, path: string): void;
  /** Ends a named link; what the pattern covers stays. */
  unname(subscription: number, path: string): void;
  countNamed(subscription: number): number;
  /** Links all streams that there are and a pattern covers, at their tail. */
  backfill(subscription: number, pattern: string): void;
  /** A stream has become one that wakes are written to: patterns cover it no longer. */
  endGlobLinks(path: string): void;
  /** A stream is no wake stream any more: patterns cover it again, at its tail. */
  resumeGlobLinks(path: string): void;
  find(subscription: number, path: string): LinkRecord | undefined;
  /** Moves a cursor to a position, and says whether anything is behind it. */
  advance(subscription: number, link: { readonly path: string; readonly position: number }): void;
  hasPending(subscription: number): boolean;
  firstPending(subscription: number): string | undefined;
  /** The streams of a subscription, the pending ones first. */
  snapshot(subscription: number, limit: number): LinkState[];
  removeAll(subscription: number): void;
}

/** What a path is as the API knows it, and patterns see it. */
function nameOf(path: string): string {
  return path.slice(1);
}

/** Prepares the statements. */
export function createSubscriptionLinks(db: Database): SubscriptionLinks {
  const sql = prepare(db);
  const snapshots = createSnapshots(db);

  function link(subscription: number, stream: LinkedStream): void {
    sql.addGlob.run(subscription, stream.path, stream.incarnation, stream.tail);
  }

  /** Each subscription whose pattern covers a path, found by the prefixes that the path has. */
  function* covering(path: string): Generator<number> {
    // Wakes are written to it: a pattern that covered it would wake without end what it wakes (and another its own).
    if (sql.wakeStream.get(path) !== undefined) return;
    const name = nameOf(path);
    const segments = name.split("/");
    for (let count = 0; count <= segments.length; count += 1) {
      const prefix = segments.slice(0, count).join("/");
      for (const { incarnation, pattern } of sql.byPrefix.all(prefix)) {
        if (matchesGlob(pattern, name)) yield incarnation;
      }
    }
  }

  return {
    noteCreated(stream) {
      sql.restart.run(stream.incarnation, stream.tail, stream.path);
      for (const subscription of covering(stream.path)) link(subscription, stream);
    },
    noteAppended: (path) => void sql.setPending.run(path),
    noteDeleted(path) {
      sql.removeGlob.run(path);
      sql.suspend.run(path);
    },
    name(subscription, path) {
      const stream = sql.stream.get(path);
      sql.addNamed.run(subscription, path, stream?.incarnation ?? 0, stream?.tail ?? 0);
    },
    unname(subscription, path) {
      sql.unname.run(subscription, path);
      sql.removeUnlinked.run(subscription, path);
    },
    countNamed: (subscription) => sql.countNamed.get(subscription)?.count ?? 0,
    backfill(subscription, pattern) {
      const prefix = `/${literalPrefixOf(pattern)}`;
      // A stream at the prefix itself, and all below it; "0" comes right after "/".
      const [from, to] = prefix === "/" ? ["/", "0"] : [`${prefix}/`, `${prefix}0`];
      sql.backfill.run({ subscription, pattern, at: prefix, from, to });
    },
    endGlobLinks: (path) => {
      sql.removeGlob.run(path);
      sql.endGlob.run(path);
    },
    resumeGlobLinks(path) {
      const stream = sql.stream.get(path);
      if (stream === undefined) return;
      for (const subscription of covering(path)) link(subscription, stream);
    },
    find: (subscription, path) => sql.find.get(subscription, path),
    advance(subscription, { path, position }) {
      sql.advance.run(position, path, position, subscription, path);
    },
    hasPending: (subscription) => sql.firstPending.get(subscription) !== undefined,
    firstPending: (subscription) => sql.firstPending.get(subscription)?.path,
    snapshot: (subscription, limit) => snapshots.ofWake(subscription, limit),
    removeAll: (subscription) => void sql.removeAll.run(subscription),
  };
}

interface Backfill {
  readonly subscription: number;
  readonly pattern: string;
  readonly at: string;
  readonly from: string;
  readonly to: string;
}

const STREAM = "path, incarnation, tail";

function prepare(db: Database) {
  db.function("matches_glob", { deterministic: true }, (pattern, path) =>
    matchesGlob(String(pattern), String(path)) ? 1 : 0,
  );
  return {
    stream: db.prepare<[string], LinkedStream>(
      `SELECT ${STREAM} FROM streams WHERE path = ? AND is_deleted = 0`,
    ),
    // In SQLite: there may be a million streams, and a connection cannot write while it reads.
    backfill: db.prepare<[Backfill]>(
      `INSERT INTO subscription_links (subscription, path, incarnation, acked, is_explicit, is_glob)
       SELECT @subscription, path, incarnation, tail, 0, 1 FROM streams
       WHERE (path = @at OR path >= @from AND path < @to) AND is_deleted = 0
         AND matches_glob(@pattern, substr(path, 2))
         AND path NOT IN (SELECT wake_stream FROM subscriptions WHERE wake_stream IS NOT NULL)
       ON CONFLICT DO UPDATE SET is_glob = 1`,
    ),
    byPrefix: db.prepare<[string], { incarnation: number; pattern: string }>(
      "SELECT incarnation, pattern FROM subscriptions WHERE pattern_prefix = ? ORDER BY incarnation",
    ),
    wakeStream: db.prepare<[string]>("SELECT 1 FROM subscriptions WHERE wake_stream = ? LIMIT 1"),
    find: db.prepare<[number, string], LinkRecord>(
      "SELECT incarnation, acked FROM subscription_links WHERE subscription = ? AND path = ?",
    ),
    restart: db.prepare<[number, number, string]>(
      "UPDATE subscription_links SET incarnation = ?, acked = ?, is_pending = 0 WHERE path = ?",
    ),
    suspend: db.prepare<[string]>(
      "UPDATE subscription_links SET incarnation = 0, acked = 0, is_glob = 0, is_pending = 0 WHERE path = ?",
    ),
    setPending: db.prepare<[string]>(
      "UPDATE subscription_links SET is_pending = 1 WHERE path = ? AND is_pending = 0",
    ),
    removeGlob: db.prepare<[string]>("DELETE FROM subscription_links WHERE path = ? AND is_explicit = 0"),
    endGlob: db.prepare<[string]>("UPDATE subscription_links SET is_glob = 0 WHERE path = ?"),
    // A link that is there keeps its cursor.
    addGlob: db.prepare<[number, string, number, number]>(
      `INSERT INTO subscription_links (subscription, path, incarnation, acked, is_explicit, is_glob)
       VALUES (?, ?, ?, ?, 0, 1) ON CONFLICT DO UPDATE SET is_glob = 1`,
    ),
    addNamed: db.prepare<[number, string, number, number]>(
      `INSERT INTO subscription_links (subscription, path, incarnation, acked, is_explicit, is_glob)
       VALUES (?, ?, ?, ?, 1, 0) ON CONFLICT DO UPDATE SET is_explicit = 1`,
    ),
    unname: db.prepare<[number, string]>(
      "UPDATE subscription_links SET is_explicit = 0 WHERE subscription = ? AND path = ?",
    ),
    removeUnlinked: db.prepare<[number, string]>(
      "DELETE FROM subscription_links WHERE subscription = ? AND path = ? AND is_explicit = 0 AND is_glob = 0",
    ),
    countNamed: db.prepare<[number], { count: number }>(
      "SELECT count(*) AS count FROM subscription_links WHERE subscription = ? AND is_explicit = 1",
    ),
    advance: db.prepare<[number, string, number, number, string]>(
      `UPDATE subscription_links SET acked = ?,
         is_pending = coalesce((SELECT tail FROM streams WHERE path = ? AND is_deleted = 0), 0) > ?
       WHERE subscription = ? AND path = ?`,
    ),
    firstPending: db.prepare<[number], { path: string }>(
      "SELECT path FROM subscription_links WHERE subscription = ? AND is_pending = 1 ORDER BY path LIMIT 1",
    ),
    removeAll: db.prepare<[number]>("DELETE FROM subscription_links WHERE subscription = ?"),
  };
}
