import Database from "better-sqlite3";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createChains, offsetAt, positionIn, tailOffsetOf } from "#src/broker/stream-chain.ts";
import type { Segment } from "#src/broker/stream-chain.ts";
import { migrate } from "#src/broker/schema.ts";
import { compareOffsets, ORIGIN } from "#src/protocol/offset.ts";
import { openMemoryStore } from "../support/memory-store.ts";
import { resultOf } from "../support/operations.ts";

const CHAIN: readonly Segment[] = [
  { incarnation: 7, from: 0, to: 40 },
  { incarnation: 9, from: 40, to: 50 },
  { incarnation: 12, from: 50, to: 60 },
];

/** Chains as forks make them: each branches off at some place of the one before. */
const chains: fc.Arbitrary<Segment[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(6)), { minLength: 1, maxLength: 6 })
  .map((steps) => {
    const segments: Segment[] = [];
    let [incarnation, from] = [0, 0];
    for (const [later, length] of steps) {
      incarnation += later;
      segments.push({ incarnation, from, to: from + length });
      from += length;
    }
    return segments;
  });

describe("the lives that a fork reads from (PROTOCOL.md, section 8, Offsets and forked streams)", () => {
  it.each([
    [0, 7],
    [40, 7],
    [41, 9],
    [50, 9],
    [51, 12],
    [60, 12],
  ])(
    "position %i belongs to incarnation %i: the place of a branch is the source's",
    (position, incarnation) => {
      expect(offsetAt(CHAIN, position)).toEqual({ incarnation, position });
    },
  );

  it.each([
    ["another life's place", { incarnation: 7, position: 41 }],
    ["a place before a life's own", { incarnation: 12, position: 50 }],
    ["a place after the tail", { incarnation: 12, position: 61 }],
    ["a life that is none of its own", { incarnation: 8, position: 10 }],
  ])("knows %s as none of its offsets", (_, offset) => {
    expect(positionIn(CHAIN, offset)).toBeUndefined();
  });

  it("gives every position one offset, which sort as the positions do and lead back to them", () => {
    fc.assert(
      fc.property(chains, (chain) => {
        const tail = chain.at(-1)?.to ?? 0;
        const offsets = Array.from({ length: tail + 1 }, (_, position) => offsetAt(chain, position));
        expect(offsets.toSorted(compareOffsets)).toEqual(offsets);
        for (const [position, offset] of offsets.entries()) expect(positionIn(chain, offset)).toBe(position);
        expect(positionIn(chain, ORIGIN)).toBe(0);
      }),
    );
  });

  it("is a chain without holes or overlaps, whatever branches off where", () => {
    const store = openMemoryStore();
    const types = { mediaType: "application/octet-stream", closes: false, time: 1 } as const;
    store.apply({ kind: "create", path: "/0", ...types, bodies: [Buffer.alloc(10)] });
    // Each branches off within what the one before inherited, at its beginning, in its own and at its tail.
    for (const [index, position] of [4, 4, 0, 2, 5].entries()) {
      const source = `/${index}`;
      const [result] = store.apply({
        kind: "create",
        path: `/${index + 1}`,
        ...types,
        bodies: [Buffer.alloc(3)],
        fork: { source, offset: offsetIn(store.dump(), { path: source, position }), subOffset: 0 },
      });
      expect(resultOf("created", result).tail.position).toBe(position + 3);
    }
    for (const row of rows(store.dump())) {
      const chain = chainIn(store.dump(), row.path);
      expect(chain[0]?.from).toBe(0);
      expect(chain.at(-1)).toMatchObject({ incarnation: row.incarnation, to: row.tail });
      const branch = { ...row, forkPosition: row.fork_position };
      expect(tailOffsetOf(branch, () => chain)).toEqual(offsetAt(chain, row.tail));
      const atItsBranch = { ...branch, tail: branch.forkPosition };
      const inherited = [
        ...chain.slice(0, -1),
        { ...branch, from: branch.forkPosition, to: branch.forkPosition },
      ];
      expect(tailOffsetOf(atItsBranch, () => inherited)).toEqual(offsetAt(inherited, branch.forkPosition));
      for (const [index, { from }] of chain.entries())
        expect(from).toBe(index === 0 ? 0 : chain[index - 1]?.to);
    }
  });
});

interface Row {
  readonly path: string;
  readonly incarnation: number;
  readonly parent: number | null;
  readonly fork_position: number;
  readonly tail: number;
}

function rows(dump: Record<string, unknown[]>): Row[] {
  return dump["streams"] as Row[];
}

/** The chain of a stream, by the real code over a copy of the rows. */
function chainIn(dump: Record<string, unknown[]>, path: string): Segment[] {
  const db = new Database(":memory:");
  migrate(db, ":memory:");
  for (const row of dump["streams"] as Record<string, unknown>[]) {
    const names = Object.keys(row);
    db.prepare(
      `INSERT INTO streams (${names.join()}) VALUES (${names.map((name) => `@${name}`).join()})`,
    ).run(row);
  }
  const found = rows(dump).find((row) => row.path === path);
  if (found === undefined) throw new Error(`there is no ${path}`);
  return createChains(db)({ ...found, forkPosition: found.fork_position });
}

function offsetIn(dump: Record<string, unknown[]>, { path, position }: { path: string; position: number }) {
  return offsetAt(chainIn(dump, path), position);
}
