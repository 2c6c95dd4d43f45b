import { expect, it } from "vitest";
import { Chunks } from "#src/broker/chunks.ts";
import type { ChunkRequest } from "#src/broker/chunks.ts";
import type { BatchEncoding } from "#src/broker/encoding.ts";
import { bytesOf } from "#src/broker/entry.ts";
import type { Page, PageRequest } from "#src/broker/reader.ts";
import type { Offset } from "#src/protocol/offset.ts";

/** When each entry was stored. */
const TIME = 1_000;
const KIB = 1_024;

const PLAIN: BatchEncoding = {
  name: "plain",
  encodeBatch: ({ entries }) => ({
    bytes: Buffer.concat(entries.map(bytesOf)),
    position: entries.at(-1)?.position ?? 0,
  }),
};

interface Stored {
  readonly chunks: Chunks;
  readonly asked: PageRequest[];
  /** Appends one entry. */
  readonly append: (body: string) => void;
  isScarce: boolean;
  /** How much waits for slow sockets, in bytes. */
  readonly unsentBytes: () => number;
}

/** A store with one stream, of which everything after an offset comes in one page. */
function openChunks(): Stored {
  const bodies: string[] = [];
  const asked: PageRequest[] = [];
  const page = (_path: string, request: PageRequest): Page => {
    asked.push(request);
    if (request.notBefore > TIME) return { kind: "gone" };
    const from = request.after.position;
    if (from === bodies.length) return { kind: "end" };
    const entries = bodies.slice(from).map((body, index) => ({ position: from + index + 1, body }));
    const offsetAt = (position: number): Offset => ({ incarnation: 1, position });
    return { kind: "entries", entries, offsetAt, isTail: true, isClosed: false, time: TIME };
  };
  const members = new Set<() => number>();
  const share = (member: () => number) => {
    members.add(member);
    return { isOver: () => false, [Symbol.dispose]: () => void members.delete(member) };
  };
  const stored: Stored = {
    chunks: new Chunks({ reader: { page }, unsent: { isScarce: () => stored.isScarce, share } }),
    unsentBytes: () => [...members].reduce((sum, member) => sum + member(), 0),
    asked,
    append: (body) => void bodies.push(body),
    isScarce: false,
  };
  return stored;
}

function requestOf(tail: number, given: Partial<ChunkRequest> = {}): ChunkRequest {
  return {
    path: "/logs",
    incarnation: 1,
    tail: { incarnation: 1, position: tail },
    after: { incarnation: 1, position: 0 },
    encoding: PLAIN,
    notBefore: 0,
    ...given,
  };
}

function textOf(stored: Stored, request: ChunkRequest): string {
  const chunk = stored.chunks.read(request);
  return chunk.kind === "content" ? chunk.bytes.toString() : chunk.kind;
}

it("reads once for all who stand at the same place, and shares the bytes", () => {
  const stored = openChunks();
  stored.append("a");
  const read = Array.from({ length: 1_000 }, () => stored.chunks.read(requestOf(1)));
  expect(stored.asked).toHaveLength(1);
  expect(new Set(read).size).toBe(1);
});

it("reads anew when more was appended to what was all of it", () => {
  const stored = openChunks();
  stored.append("a");
  expect(textOf(stored, requestOf(1))).toBe("a");
  stored.append("b");
  expect(textOf(stored, requestOf(2))).toBe("ab");
  expect(textOf(stored, requestOf(2, { after: { incarnation: 1, position: 1 } }))).toBe("b");
});

it("reads anew for another stream at the same path, another path, and another kind of content", () => {
  const stored = openChunks();
  stored.append("a");
  const others: Partial<ChunkRequest>[] = [
    {},
    { incarnation: 2 },
    { path: "/other" },
    { encoding: { ...PLAIN, name: "other" } },
  ];
  for (const other of others) expect(textOf(stored, requestOf(1, other))).toBe("a");
  expect(stored.asked).toHaveLength(others.length);
});

it("does not show who may not go back as far what was read for somebody else", () => {
  const stored = openChunks();
  stored.append("a");
  const read = [TIME, TIME + 1, TIME].map((notBefore) => textOf(stored, requestOf(1, { notBefore })));
  expect(read).toEqual(["a", "gone", "a"]);
});

it("gives shorter chunks while too much waits for slow sockets", () => {
  const stored = openChunks();
  stored.append("a");
  stored.chunks.read(requestOf(1));
  stored.isScarce = true;
  stored.chunks.read(requestOf(1));
  expect(stored.asked.map(({ maxBytes }) => maxBytes)).toEqual([1_024 * KIB, 32 * KIB]);
});

it("keeps a bounded number of bytes for whoever comes next", () => {
  const stored = openChunks();
  stored.append("x".repeat(1_024 * KIB));
  const paths = Array.from({ length: 17 }, (_, index) => `/logs/${index}`);
  const [first = ""] = paths;
  for (const path of paths.slice(0, -1)) stored.chunks.read(requestOf(1, { path }));
  stored.chunks.read(requestOf(1, { path: first }));
  expect(stored.asked).toHaveLength(16);
  for (const path of [paths.at(-1) ?? "", first]) stored.chunks.read(requestOf(1, { path }));
  expect(stored.asked).toHaveLength(18);
});

it("counts a chunk once, however many slow sockets it waits for, until the last has it", () => {
  const stored = openChunks();
  const [one, other] = [Buffer.alloc(KIB), Buffer.alloc(KIB)];
  const held = [one, one, other].map((bytes) => stored.chunks.hold(bytes));
  const counted = held.map((each) => {
    const before = stored.unsentBytes();
    each[Symbol.dispose]();
    return before;
  });
  expect(counted).toEqual([2 * KIB, 2 * KIB, KIB]);
  expect(stored.unsentBytes()).toBe(0);
});
