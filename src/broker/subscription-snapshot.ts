import type { Database } from "better-sqlite3";
import { ORIGIN } from "../protocol/offset.ts";
import { createChains, offsetAt } from "./stream-chain.ts";
import type { LinkState } from "./subscription-operation.ts";

/** How many streams a wake tells of at most: the others are pending for the next one. */
export const MAX_SNAPSHOT = 1_000;

/** A link with its stream as it is. */
interface LinkRow {
  readonly stream: string;
  readonly incarnation: number;
  readonly acked: number;
  readonly isExplicit: number;
  readonly isPending: number;
  readonly tail: number | null;
  readonly parent: number | null;
  readonly forkPosition: number | null;
}

const SELECT = `SELECT l.path AS stream, l.incarnation, l.acked, l.is_explicit AS isExplicit,
    l.is_pending AS isPending, s.tail, s.parent, s.fork_position AS forkPosition
  FROM subscription_links l LEFT JOIN streams s ON s.path = l.path AND s.incarnation = l.incarnation`;

/** Reads the streams of subscriptions with their cursors. */
export interface SubscriptionSnapshots {
  /** The pending ones first, up to `limit`. */
  ofWake(subscription: number, limit: number): LinkState[];
  /** All of them, by path. */
  all(subscription: number): LinkState[];
}

/** Prepares the statements, for whoever applies and for whoever reads. */
export function createSnapshots(db: Database): SubscriptionSnapshots {
  const chainOf = createChains(db);
  const all = db.prepare<[number], LinkRow>(`${SELECT} WHERE l.subscription = ? ORDER BY l.path`);
  const [pending, others] = [1, 0].map((flag) =>
    db.prepare<[number, number], LinkRow>(
      `${SELECT} WHERE l.subscription = ? AND l.is_pending = ${flag} ORDER BY l.path LIMIT ?`,
    ),
  );
  return {
    all: (subscription) => all.all(subscription).map(toState),
    ofWake(subscription, limit) {
      const first = pending?.all(subscription, limit) ?? [];
      const rest = first.length < limit ? (others?.all(subscription, limit - first.length) ?? []) : [];
      return [...first, ...rest].map(toState);
    },
  };

  function toState(row: LinkRow): LinkState {
    const { stream, incarnation, acked, parent, forkPosition, tail } = row;
    const common = { stream, isExplicit: row.isExplicit === 1, isPending: row.isPending === 1, incarnation };
    if (tail === null) return { ...common, ackedOffset: ORIGIN, tailOffset: ORIGIN, tail: 0 };
    const chain = chainOf({ incarnation, parent, forkPosition: forkPosition ?? 0, tail });
    return { ...common, tail, ackedOffset: offsetAt(chain, acked), tailOffset: offsetAt(chain, tail) };
  }
}
