import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppendKey, Operation } from "#src/broker/operation.ts";
import type { CreateOperation, WriteOperation } from "#src/broker/stream-operation.ts";
import { openMemoryStore } from "../support/memory-store.ts";
import { append, NOON, resultOf, RETENTION } from "../support/operations.ts";

const KEY: AppendKey = { owner: "app", key: "k", fingerprint: "f" };

const operations: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .record({
      path: fc.constantFrom("chat", "chat/room=a", "game/moves"),
      time: fc.integer({ min: NOON, max: NOON + 100 }),
      texts: fc.array(fc.json(), { minLength: 1, maxLength: 3 }),
      key: fc.option(
        fc.record({
          owner: fc.constantFrom("app", "subject a"),
          key: fc.constantFrom("1", "2"),
          fingerprint: fc.constantFrom("x", "y"),
        }),
      ),
      maxMessages: fc.constantFrom(0, 2),
      maxBytes: fc.constantFrom(0, 200),
    })
    .map(({ key, maxMessages, maxBytes, ...rest }) =>
      append({ ...rest, retention: { maxMessages, maxBytes }, ...(key === null ? {} : { key }) }),
    ),
  fc.record({ kind: fc.constant("trim"), incarnation: fc.integer({ min: 1, max: 5 }), position: fc.nat(8) }),
  fc.record({
    kind: fc.constant("drop"),
    path: fc.constantFrom("chat", "chat/room=a"),
    incarnation: fc.integer({ min: 1, max: 5 }),
    tail: fc.nat(5),
  }),
  fc.record({
    kind: fc.constant("set-retention"),
    channel: fc.constantFrom("chat", "game"),
    from: fc.constantFrom("chat", "chat/room=a"),
    retention: fc.record({
      replayWindowMs: fc.nat(9),
      inactivityTtlMs: fc.nat(9),
      maxMessages: fc.nat(9),
      maxBytes: fc.nat(9),
    }),
  }),
  fc.record({ kind: fc.constant("rotate-keys"), generation: fc.nat(3), time: fc.constant(NOON) }),
);

const times = fc.integer({ min: NOON, max: NOON + 100 });
const paths = fc.constantFrom("/a", "/b", "/c");
const bodies = fc.oneof(
  fc.record({
    mediaType: fc.constant("application/json"),
    bodies: fc.array(fc.json(), { maxLength: 3 }),
  }),
  fc.record({
    mediaType: fc.constant("text/plain"),
    bodies: fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.uint8Array({ minLength: 1 })), {
      maxLength: 2,
    }),
  }),
);

/** Those of Durable Streams, on few paths and incarnations, so that they meet. */
const streamOperations: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .record({
      path: paths,
      time: times,
      closes: fc.boolean(),
      content: bodies,
      lifetime: fc.constantFrom<Pick<CreateOperation, "ttlMs" | "expiresAt">>(
        {},
        { ttlMs: 50 },
        { expiresAt: NOON + 50 },
      ),
      fork: fc.option(
        fc.record({
          source: paths,
          subOffset: fc.nat(2),
          offset: fc.option(fc.record({ incarnation: fc.nat(4), position: fc.nat(4) })),
        }),
      ),
    })
    .map(({ content, lifetime, fork, ...rest }): CreateOperation => ({
      kind: "create",
      ...rest,
      ...content,
      ...lifetime,
      ...(fork === null
        ? {}
        : {
            fork: {
              source: fork.source,
              subOffset: fork.subOffset,
              ...(fork.offset === null ? {} : { offset: fork.offset }),
            },
          }),
    })),
  fc
    .record({
      path: paths,
      time: times,
      closes: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
      content: bodies,
      producer: fc.option(fc.record({ id: fc.constantFrom("p", "q"), epoch: fc.nat(1), seq: fc.nat(2) })),
      seq: fc.option(fc.constantFrom("1", "2", "10")),
    })
    .map(({ content, producer, seq, ...rest }): WriteOperation => ({
      kind: "write",
      ...rest,
      ...content,
      ...(producer === null ? {} : { producer }),
      ...(seq === null ? {} : { seq }),
    })),
  fc.record({ kind: fc.constant("delete" as const), path: paths }),
  fc.record({ kind: fc.constant("delete"), path: paths, incarnation: fc.nat(4), touchedAt: times }),
  fc.record({ kind: fc.constant("touch"), incarnation: fc.nat(4), time: times }),
  fc.record({ kind: fc.constant("sweep"), incarnation: fc.nat(4) }),
  fc.record({ kind: fc.constant("forget-producers"), before: times }),
);

describe("apply", () => {
  it("gives the same results and the same rows for the same operations, however they are grouped", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(operations, streamOperations, streamOperations), { maxLength: 40 }),
        fc.nat(40),
        (sequence, cut) => {
          const [one, other] = [openMemoryStore(), openMemoryStore()];
          const results = one.apply(...sequence);
          expect([...other.apply(...sequence.slice(0, cut)), ...other.apply(...sequence.slice(cut))]).toEqual(
            results,
          );
          expect(other.dump()).toEqual(one.dump());
        },
      ),
      { numRuns: 300 },
    );
  });

  it("keeps positions without holes, ids that are never used twice and times that never go back", () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 40 }), (sequence) => {
        const ids = new Set<string>();
        const lastTimes = new Map<string, number>();
        const store = openMemoryStore();
        for (const [index, result] of store.apply(...sequence).entries()) {
          const operation = sequence[index];
          if (operation?.kind !== "append" || result.kind !== "appended" || result.isRepeat) continue;
          for (let position = result.first + 1; position <= result.first + result.count; position += 1) {
            const id = `${result.incarnation}_${position}`;
            expect(ids).not.toContain(id);
            ids.add(id);
          }
          expect(result.time).toBeGreaterThanOrEqual(lastTimes.get(operation.path) ?? 0);
          lastTimes.set(operation.path, result.time);
        }
        for (const { tail, oldest, bytes, incarnation } of streams(store)) {
          const kept = messages(store).filter((message) => message.incarnation === incarnation);
          const positions = kept.map(({ position }) => position);
          expect(positions).toEqual(Array.from({ length: tail - oldest }, (_, index) => oldest + index + 1));
          expect(bytes).toBe(kept.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("puts id and time into a message and leaves the writer's bytes as they are", () => {
    const store = openMemoryStore();
    store.apply(append({ texts: ['{"n": 1.0, "big":12345678901234567890}'] }));
    expect(messages(store)[0]?.body).toBe(
      `{"id":"0000000000000001_0000000000000001","channel":"chat","type":"message","data":{"n": 1.0, "big":12345678901234567890},"time":${NOON}}`,
    );
  });

  it("gives a message the time of the one before where the proposer's clock is behind", () => {
    const results = openMemoryStore().apply(append({ time: NOON }), append({ time: NOON - 5_000 }));
    expect(results).toMatchObject([{ time: NOON }, { time: NOON }]);
  });

  describe("with an idempotency key", () => {
    it("gives a repeat the ids of the first time and stores nothing", () => {
      const store = openMemoryStore();
      const [first] = store.apply(append({ texts: ["1", "2"], key: KEY }));
      const before = store.dump();
      const [repeat] = store.apply(append({ texts: ["1", "2"], key: KEY, time: NOON + 1 }));
      expect(repeat).toEqual({ ...first, isRepeat: true });
      expect(store.dump()).toEqual(before);
    });

    it("refuses the same key with another body", () => {
      const results = openMemoryStore().apply(
        append({ key: KEY }),
        append({ key: { ...KEY, fingerprint: "g" } }),
      );
      expect(results[1]).toEqual({ kind: "refused", reason: "key-reused" });
    });

    it("keeps the keys of each owner and each stream apart", () => {
      const results = openMemoryStore().apply(
        append({ key: KEY }),
        append({ key: { ...KEY, owner: "subject app" } }),
        append({ key: KEY, path: "chat/room=a" }),
      );
      expect(results).toMatchObject([{ isRepeat: false }, { isRepeat: false }, { isRepeat: false }]);
    });

    it("remembers a key through one rotation and forgets it with the second", () => {
      for (const generation of [0, 1]) {
        const store = openMemoryStore();
        const rotate = (from: number) => store.apply({ kind: "rotate-keys", generation: from, time: NOON });
        if (generation === 1) rotate(0);
        store.apply(append({ key: KEY }));
        rotate(generation);
        expect(store.apply(append({ key: KEY }))[0]).toMatchObject({ isRepeat: true });
        rotate(generation + 1);
        expect(store.apply(append({ key: KEY }))[0]).toMatchObject({ isRepeat: false });
      }
    });

    it("rotates once for a generation, however often that is proposed", () => {
      const store = openMemoryStore();
      store.apply(append({ key: KEY }));
      for (let time = 0; time < 3; time += 1) store.apply({ kind: "rotate-keys", generation: 0, time: NOON });
      expect(store.apply(append({ key: KEY }))[0]).toMatchObject({ isRepeat: true });
    });

    it("knows a key of the stream's earlier life", () => {
      const store = openMemoryStore();
      const [first] = store.apply(append({ key: KEY }));
      const { incarnation } = resultOf("appended", first);
      store.apply({ kind: "drop", path: "chat", incarnation, tail: 1 });
      expect(store.apply(append({ key: KEY }))[0]).toEqual({ ...first, isRepeat: true });
    });
  });

  describe("trim", () => {
    it("deletes up to a position, and a bounded number at once", () => {
      const store = openMemoryStore();
      store.apply(append({ texts: Array.from({ length: 5_000 }, String) }));
      const trim: Operation = { kind: "trim", incarnation: 1, position: 4_500 };
      const results = store.apply(trim, trim, trim, trim);
      expect(results).toEqual([
        { kind: "trimmed", count: 2_000, isPartial: true },
        { kind: "trimmed", count: 2_000, isPartial: true },
        { kind: "trimmed", count: 500, isPartial: false },
        { kind: "unchanged" },
      ]);
      expect(messages(store)).toHaveLength(500);
      expect(streams(store)).toMatchObject([{ oldest: 4_500, tail: 5_000 }]);
    });

    it("does nothing to a life that is over", () => {
      const store = openMemoryStore();
      store.apply(append(), { kind: "drop", path: "chat", incarnation: 1, tail: 1 }, append());
      expect(store.apply({ kind: "trim", incarnation: 1, position: 1 })).toEqual([{ kind: "unchanged" }]);
      expect(streams(store)).toMatchObject([{ incarnation: 2, oldest: 0 }]);
    });
  });

  describe("drop", () => {
    it("begins a new life under a new incarnation; sweeps delete the messages of the old", () => {
      const store = openMemoryStore();
      store.apply(append({ texts: ["1", "2"] }), append({ path: "chat/room=a" }));
      const [dropped] = store.apply({ kind: "drop", path: "chat", incarnation: 1, tail: 2 });
      expect(dropped).toEqual({ kind: "dropped", incarnation: 3 });
      expect(store.apply(append())).toMatchObject([{ incarnation: 3, first: 0 }]);
      expect(store.apply({ kind: "sweep" }, { kind: "sweep" })).toEqual([
        { kind: "trimmed", count: 2, isPartial: false },
        { kind: "unchanged" },
      ]);
      expect(messages(store).map(({ incarnation }) => incarnation)).toEqual([2, 3]);
      expect(streams(store)[0]).toMatchObject({ incarnation: 3, tail: 1, has_earlier_life: 1 });
    });

    it("leaves many lives to be swept at once, and much in steps", () => {
      const store = openMemoryStore();
      const end = (path: string, count: number): void => {
        const [appended] = store.apply(append({ path, texts: Array.from({ length: count }, String) }));
        const { incarnation } = resultOf("appended", appended);
        store.apply({ kind: "drop", path, incarnation, tail: count });
      };
      for (let room = 0; room < 190; room += 1) end(`chat/room=${room}`, 2);
      end("chat/room=big", 3_000);
      expect(store.apply({ kind: "sweep" }, { kind: "sweep" }, { kind: "sweep" })).toEqual([
        { kind: "trimmed", count: 2_000, isPartial: true },
        { kind: "trimmed", count: 1_380, isPartial: false },
        { kind: "unchanged" },
      ]);
      expect(messages(store)).toEqual([]);
    });

    it("does nothing if something was published since it was proposed", () => {
      const store = openMemoryStore();
      store.apply(append(), append());
      expect(store.apply({ kind: "drop", path: "chat", incarnation: 1, tail: 1 })).toEqual([
        { kind: "unchanged" },
      ]);
      expect(messages(store)).toHaveLength(2);
    });

    it("does not let time go back in the next life", () => {
      const store = openMemoryStore();
      store.apply(append(), { kind: "drop", path: "chat", incarnation: 1, tail: 1 });
      expect(store.apply(append({ time: NOON - 1 }))).toMatchObject([{ time: NOON }]);
    });
  });

  describe("a stream with a limit", () => {
    const set = (from: string, maxMessages: number): Operation => ({
      kind: "set-retention",
      channel: "chat",
      from,
      retention: { ...RETENTION, maxMessages },
    });

    it("is given a channel's changed lifecycle, a bounded number of streams at once", () => {
      const store = openMemoryStore();
      const rooms = Array.from({ length: 700 }, (_, room) => append({ path: `chat/room=${room}` }));
      store.apply(append(), ...rooms, append({ path: "chat/x" }), append({ path: "chat-x/room=1" }));
      const nexts: string[] = [];
      for (let from: string | undefined = "chat"; from !== undefined;) {
        const [result] = store.apply(set(from, 5));
        from = resultOf("retention-set", result).next;
        if (from !== undefined) nexts.push(from);
      }
      expect(nexts).toHaveLength(1);
      const without = streams(store).filter(({ max_messages }) => max_messages !== 5);
      expect(without.map(({ path }) => path)).toEqual(["chat/x", "chat-x/room=1"]);
    });

    it("is given it also where its life has just ended", () => {
      const store = openMemoryStore();
      store.apply(append(), { kind: "drop", path: "chat", incarnation: 1, tail: 1 }, set("chat", 5));
      expect(streams(store)).toMatchObject([{ incarnation: 2, max_messages: 5 }]);
    });

    it("remembers the lifecycle last given", () => {
      const store = openMemoryStore();
      store.apply(append({ retention: { maxMessages: 5 } }), append({ retention: { replayWindowMs: 1 } }));
      expect(streams(store)).toMatchObject([{ max_messages: 0, replay_window_ms: 1 }]);
    });
  });
});

interface StreamRow {
  readonly path: string;
  readonly max_messages: number;
  readonly incarnation: number;
  readonly tail: number;
  readonly oldest: number;
  readonly bytes: number;
}

interface MessageRow {
  readonly incarnation: number;
  readonly position: number;
  readonly body: string;
}

function streams(store: ReturnType<typeof openMemoryStore>): StreamRow[] {
  return store.dump()["streams"] as StreamRow[];
}

function messages(store: ReturnType<typeof openMemoryStore>): MessageRow[] {
  return store.dump()["messages"] as MessageRow[];
}
