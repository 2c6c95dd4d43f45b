import type { Database } from "better-sqlite3";
import { isOrigin } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";

/**
 * One life that a stream reads from: its own, or one that it inherits from as a fork.
 *
 * ```
 *   source     ├─ 7 ──────────┤ ····            incarnation 7, positions 1 … 40
 *   fork                      ├─ 9 ────┤ ····   incarnation 9, positions 41 … 60
 *   its fork                       ├─ 12 ──     incarnation 12, positions 51 …
 *
 *   the chain of the last: 7: 0–40, 9: 40–50, 12: 50–tail
 * ```
 */
export interface Segment {
  readonly incarnation: number;
  /** The position before its first message or byte. */
  readonly from: number;
  /** The position of its last one that the stream reads. */
  readonly to: number;
}

/** What of a stream says which lives it reads from. */
export interface Branch {
  readonly incarnation: number;
  /** The incarnation that it branches off; `null` if it is no fork. */
  readonly parent: number | null;
  /** Where it branches off. */
  readonly forkPosition: number;
  readonly tail: number;
}

/** Makes a function that gives the lives that a stream reads from, the earliest first. */
export function createChains(db: Database): (branch: Branch) => Segment[] {
  const parentOf = db.prepare<[number], Branch>(
    "SELECT incarnation, parent, fork_position AS forkPosition, tail FROM streams WHERE incarnation = ?",
  );
  return (branch) => {
    const chain: Segment[] = [];
    let to = branch.tail;
    for (let at: Branch | undefined = branch; at !== undefined;) {
      chain.push({ incarnation: at.incarnation, from: at.forkPosition, to });
      to = at.forkPosition;
      at = at.parent === null ? undefined : parentOf.get(at.parent);
      // A fork may branch off inside what its parent inherited: nothing of the parent's own is read then.
      if (at !== undefined && at.forkPosition > to) at = { ...at, forkPosition: to };
    }
    return chain.toReversed();
  };
}

/**
 * The offset of a position: what is inherited keeps the incarnation that it has in the source, up to and including
 * the place where the fork branches off.
 */
export function offsetAt(chain: readonly Segment[], position: number): Offset {
  const segment = chain.find(({ to }) => position <= to) ?? chain.at(-1);
  return { incarnation: segment?.incarnation ?? 0, position };
}

/** The offset of a stream's tail. Only what has nothing of its own yet needs the lives that it inherits from. */
export function tailOffsetOf<Stream extends Branch>(
  stream: Stream,
  chainOf: (stream: Stream) => readonly Segment[],
): Offset {
  const { incarnation, parent, forkPosition, tail } = stream;
  if (parent === null || tail > forkPosition) return { incarnation, position: tail };
  return offsetAt(chainOf(stream), tail);
}

/** The position of an offset; `undefined` if it was never given out for this stream. */
export function positionIn(chain: readonly Segment[], offset: Offset): number | undefined {
  const [root] = chain;
  if (root === undefined || isOrigin(offset)) return root?.from;
  const at = offsetAt(chain, offset.position);
  const isOf = at.incarnation === offset.incarnation && offset.position <= (chain.at(-1)?.to ?? 0);
  return isOf ? offset.position : undefined;
}
