import Database from "better-sqlite3";
import { join } from "node:path";
import type { createApply } from "#src/broker/apply.ts";
import { bytesOf, textOf } from "#src/broker/entry.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import type { Reader } from "#src/broker/reader.ts";
import { migrate } from "#src/broker/schema.ts";
import type { Body, CreateOperation, WriteOperation } from "#src/broker/stream-operation.ts";
import { encodeOffset, ORIGIN } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import { Choices } from "./choices.ts";
import type { Verdict } from "./seeded-runs.ts";
import { describeResult, offsetOf, placeOf, StreamModel } from "./stream-model.ts";
import type { ModelStream } from "./stream-model.ts";

/** The code under trial: the real one, or one with a fault. */
export interface StreamCode {
  readonly createApply: typeof createApply;
  readonly Reader: typeof Reader;
}

const STEPS = 150;
const PATHS = ["/a", "/b", "/c", "/d", "/e", "/f"];

/**
 * Applies operations that the seed decides to a store and to a model of it, and compares what both say: results,
 * every stream read from any place in pages of any size, offsets, and what is kept for whom.
 */
export function simulateStreams(folder: string, { seed, code }: { seed: number; code: StreamCode }): Verdict {
  const simulation = new Simulation(join(folder, `${seed}.sqlite`), seed, code);
  try {
    simulation.run();
  } catch (error) {
    simulation.violation = String(error);
  }
  simulation.close();
  return simulation;
}

class Simulation implements Verdict {
  violation: string | undefined;
  readonly visits = new Set<string>();
  readonly #db: Database.Database;
  readonly #apply: (operation: Operation) => Result;
  readonly #reader: Reader;
  readonly #model = new StreamModel();
  readonly #choices: Choices;
  /** Offsets that were ever given out. */
  readonly #offsets: Offset[] = [ORIGIN];
  readonly #lastWrites = new Map<string, WriteOperation>();
  #time = 1_000;

  constructor(file: string, seed: number, { createApply, Reader }: StreamCode) {
    this.#choices = new Choices(seed);
    this.#db = new Database(file);
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma("synchronous = OFF");
    migrate(this.#db, file);
    this.#apply = createApply(this.#db);
    this.#reader = new Reader(file);
  }

  run(): void {
    for (let step = 0; step < STEPS; step += 1) {
      this.#time += this.#choices.upTo(10);
      this.#act();
      this.#compare(this.#choices.oneOf(PATHS));
    }
    for (const path of PATHS) this.#compare(path);
    this.#compareKept();
  }

  close(): void {
    this.#reader.close();
    this.#db.close();
  }

  #act(): void {
    const choice = this.#choices.fraction();
    if (choice < 0.25) this.#create();
    else if (choice < 0.7) this.#write();
    else if (choice < 0.85) this.#delete();
    else if (choice < 0.95) this.#expire();
    else this.#sweep();
  }

  #create(): void {
    const isFork = this.#choices.chance(0.65);
    const isJson = this.#choices.chance(0.4);
    const source = this.#choices.oneOf(PATHS);
    const hasOffset = this.#choices.chance(0.7);
    const operation: CreateOperation = {
      kind: "create",
      path: this.#choices.oneOf(PATHS),
      time: this.#time,
      closes: this.#choices.chance(0.1),
      ...(isFork && this.#choices.chance(0.8)
        ? {}
        : { mediaType: isJson ? "application/json" : "application/octet-stream" }),
      ...this.#choices.oneOf([{}, {}, { ttlMs: 50 }, { expiresAt: this.#time + 100 }]),
      bodies: [],
      ...(isFork
        ? {
            fork: {
              source,
              subOffset: hasOffset && this.#choices.chance(0.5) ? this.#choices.upTo(5) : 0,
              ...(hasOffset ? { offset: this.#anyOffset(source) } : {}),
            },
          }
        : {}),
    };
    const inherited = isFork ? this.#model.at(source)?.isJson : undefined;
    const bodies = this.#bodies(inherited ?? operation.mediaType === "application/json");
    const whole = this.#choices.chance(0.5) ? { ...operation, bodies } : operation;
    this.#expect(whole, this.#model.create(whole));
  }

  #write(): void {
    const path = this.#choices.oneOf(PATHS);
    const isJson = this.#model.at(path)?.isJson ?? false;
    const isClose = this.#choices.chance(0.05);
    const last = this.#lastWrites.get(path);
    if (last !== undefined && this.#choices.chance(0.15)) {
      // A retry: of a producer's append it is one even with another body.
      const again = { ...last, bodies: this.#choices.chance(0.5) ? last.bodies : this.#bodies(isJson) };
      return this.#expect(again, this.#model.write(again));
    }
    const operation: WriteOperation = {
      kind: "write",
      path,
      time: this.#time,
      mediaType: isJson === this.#choices.chance(0.97) ? "application/json" : "application/octet-stream",
      bodies: isClose && this.#choices.chance(0.5) ? [] : this.#bodies(isJson),
      closes: isClose,
      ...(this.#choices.chance(0.4)
        ? {
            producer: {
              id: this.#choices.oneOf(["p", "q"]),
              epoch: this.#choices.below(2),
              seq: this.#choices.below(4),
            },
          }
        : {}),
      ...(this.#choices.chance(0.2) ? { seq: String(this.#choices.upTo(99)) } : {}),
    };
    this.#lastWrites.set(path, operation);
    this.#expect(operation, this.#model.write(operation));
  }

  #delete(): void {
    const operation = { kind: "delete", path: this.#choices.oneOf(PATHS) } as const;
    this.#expect(operation, this.#model.delete(operation));
  }

  /** The end of one life, noticed a while ago: it may have been used since, or be over. */
  #expire(): void {
    const path = this.#choices.oneOf(PATHS);
    const { incarnation = 1, touchedAt = 0 } = this.#model.at(path) ?? {};
    const operation = {
      kind: "delete",
      path,
      incarnation: incarnation - (this.#choices.chance(0.2) ? 1 : 0),
      touchedAt: touchedAt - (this.#choices.chance(0.3) ? 1 : 0),
    } as const;
    this.#expect(operation, this.#model.delete(operation));
  }

  #sweep(): void {
    this.#apply({ kind: "sweep" });
  }

  #expect(operation: Operation, expected: string): void {
    const result = describeResult(this.#apply(operation));
    this.visits.add(
      expected
        .split(" ", 2)
        .join(" ")
        .replace(/deleted \d+/, "deleted"),
    );
    if (result !== expected)
      throw new Error(`${JSON.stringify(operation)}: expected ${expected}, got ${result}`);
    const stream = "path" in operation ? this.#model.at(operation.path) : undefined;
    if (stream !== undefined) this.#offsets.push(offsetOf(stream, stream.units.length));
  }

  /** Reads a stream from some place on, in pages. */
  #compare(path: string): void {
    const stream = this.#model.at(path);
    const after = this.#anyOffset(path);
    const info = this.#reader.stream(path);
    if (stream === undefined || info === undefined) {
      if (stream !== info) throw new Error(`${path}: one has the stream, and the other does not`);
      return;
    }
    if (info.isDeleted !== stream.isDeleted) throw new Error(`${path}: deleted in one only`);
    if (info.ttlMs !== stream.ttlMs || info.expiresAt !== stream.expiresAt)
      throw new Error(`${path}: lives for ${info.ttlMs} or until ${info.expiresAt}`);
    const from = placeOf(stream, after);
    const units: (string | number)[] = [];
    for (let next = after; ;) {
      const page = this.#reader.page(path, {
        after: next,
        notBefore: 0,
        maxEntries: this.#choices.upTo(4),
        maxBytes: this.#choices.upTo(12),
      });
      if (page.kind === "gone") {
        if (from !== undefined) throw new Error(`${path}: gone at ${encodeOffset(next)}`);
        this.visits.add("gone");
        return;
      }
      if (from === undefined) throw new Error(`${path}: ${encodeOffset(after)} was never given out`);
      if (page.kind === "end") break;
      if (page.entries.length === 0) throw new Error(`${path}: an empty page`);
      for (const entry of page.entries) units.push(...(stream.isJson ? [textOf(entry)] : bytesOf(entry)));
      const position = from + units.length;
      next = page.offsetAt(page.entries.at(-1)?.position ?? 0);
      const expected = encodeOffset(offsetOf(stream, position));
      if (encodeOffset(next) !== expected)
        throw new Error(`${path}: expected ${expected}, got ${encodeOffset(next)}`);
      if (page.isTail !== (position === stream.units.length))
        throw new Error(`${path}: wrong about its tail`);
    }
    const expected = stream.units.slice(from);
    if (JSON.stringify(units) !== JSON.stringify(expected))
      throw new Error(
        `${path} after ${encodeOffset(after)}: expected ${expected.join()}, got ${units.join()}`,
      );
    if (stream.parent !== undefined) this.visits.add("read a fork");
    if (stream.parent?.parent !== undefined) this.visits.add("read a fork of a fork");
  }

  /** Once all that is over is swept, there are the rows of the streams that are there, and of those that forks need. */
  #compareKept(): void {
    while (this.#reader.due.hasEndedLives()) this.#sweep();
    const kept = this.#db
      .prepare<[], { incarnation: number }>("SELECT DISTINCT incarnation FROM messages ORDER BY 1")
      .all();
    const needed = this.#model.streams.filter(({ owners, incarnation, forkedAt }) =>
      owners.slice(forkedAt + 1).includes(incarnation),
    );
    const expected = needed.map(({ incarnation }) => incarnation).toSorted((a, b) => a - b);
    const actual = kept.map(({ incarnation }) => incarnation);
    if (actual.join() !== expected.join())
      throw new Error(`kept ${actual.join()}, and needed are ${expected.join()}`);
    const producers = this.#db
      .prepare<[], { incarnation: number }>("SELECT DISTINCT incarnation FROM producers")
      .all();
    for (const { incarnation } of producers) {
      if (!this.#model.streams.some((stream) => stream.incarnation === incarnation))
        throw new Error(`the producers of ${incarnation} are kept, and it is gone`);
    }
  }

  #bodies(isJson: boolean): Body[] {
    return Array.from({ length: this.#choices.upTo(3) }, () =>
      isJson
        ? JSON.stringify(this.#choices.upTo(1_000))
        : Buffer.from(Array.from({ length: this.#choices.upTo(6) }, () => this.#choices.below(256))),
    );
  }

  /** A place in the stream, one that it will come to, or an offset that was given out at some time for some stream. */
  #anyOffset(path: string): Offset {
    const stream: ModelStream | undefined = this.#model.at(path);
    if (stream === undefined || this.#choices.chance(0.25)) return this.#choices.oneOf(this.#offsets);
    const tail = stream.units.length;
    if (this.#choices.chance(0.1))
      return { ...offsetOf(stream, tail), position: tail + this.#choices.upTo(3) };
    return offsetOf(stream, this.#choices.below(tail + 1));
  }
}
