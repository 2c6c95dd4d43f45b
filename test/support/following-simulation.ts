import Database from "better-sqlite3";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { createApply } from "#src/broker/apply.ts";
import type { Hub } from "#src/broker/hub.ts";
import type { StreamEnding } from "#src/broker/live-stream.ts";
import type { Committed, Follower } from "#src/broker/log.ts";
import type { Operation, Result } from "#src/broker/operation.ts";
import type { Reader } from "#src/broker/reader.ts";
import { migrate } from "#src/broker/schema.ts";
import type { Body, CreateOperation, WriteOperation } from "#src/broker/stream-operation.ts";
import type { Pages } from "#src/broker/pages.ts";
import type { Subscriber } from "#src/broker/subscriber.ts";
import type { createStreamEvents } from "#src/transports/durable-streams/stream-events.ts";
import { Choices } from "./choices.ts";
import { FollowingSink } from "./following-sink.ts";
import type { Verdict } from "./seeded-runs.ts";
import { describeResult, offsetOf, StreamModel } from "./stream-model.ts";
import type { ModelStream } from "./stream-model.ts";

/** The code under trial: the real one, or one with a fault. */
export interface FollowingCode {
  readonly createApply: typeof createApply;
  readonly Reader: typeof Reader;
  readonly Hub: typeof Hub;
  readonly Pages: typeof Pages;
  readonly Subscriber: typeof Subscriber;
  readonly createStreamEvents: typeof createStreamEvents;
}

const STEPS = 100;
/** Enough for everyone to come to rest, on a busy machine too; a reader that needs more is stuck. */
const REST_TURNS = 5_000;
const CALM_TURNS = 10;
/** More pages than any reader needs: one that reads more goes round in a circle. */
const MAX_PAGES = 3_000;
const PATH = "/followed";
const LETTERS = ["a", " ", "\n", "é", "漢", "👩"];

/**
 * Runs a real store, hub, readers and event streams in an order of events that the seed decides: bytes cut anywhere,
 * forks of forks, late and lost announcements, slow peers, tiny windows, closes, deletes and what follows them.
 */
export async function simulateFollowing(
  folder: string,
  { seed, code }: { seed: number; code: FollowingCode },
): Promise<Verdict> {
  const simulation = new Simulation(join(folder, `${seed}.sqlite`), seed, code);
  try {
    await simulation.run();
  } catch (error) {
    simulation.fail(String(error));
  }
  simulation.close();
  return simulation;
}

interface Peer {
  readonly sink: FollowingSink;
  readonly leaving: AbortController;
  /** It came between a delete and the word of it, which then ends it: it would come back. */
  readonly mayBeSentAway: boolean;
  ended: "gone" | "aborted" | StreamEnding | undefined;
}

class Simulation implements Verdict {
  violation: string | undefined;
  delivered = 0;
  readonly visits = new Set<string>();
  readonly #code: FollowingCode;
  readonly #choices: Choices;
  readonly #db: Database.Database;
  readonly #apply: (operation: Operation) => Result;
  readonly #reader: Reader;
  readonly #hub: Hub;
  readonly #pagesInTurn: Pages;
  readonly #model = new StreamModel();
  readonly #followers = new Set<Follower>();
  readonly #unannounced: Committed[] = [];
  readonly #peers = new Set<Peer>();
  readonly #mediaType: string;
  /** What will be written, as far as it is known. */
  #text = Buffer.alloc(0);
  #pages = 0;
  #producerSeq = 0;
  #hasUntold = false;
  #isResting = false;
  /** Nobody writes any more: a fork may stay as it was made. */
  #isQuiet = false;

  constructor(file: string, seed: number, code: FollowingCode) {
    this.#code = code;
    this.#choices = new Choices(seed);
    this.#db = new Database(file);
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma("synchronous = OFF");
    migrate(this.#db, file);
    this.#apply = code.createApply(this.#db);
    this.#reader = new code.Reader(file);
    this.#pagesInTurn = new code.Pages({ page: (path, request) => this.#page(path, request) });
    this.#mediaType = this.#choices.oneOf([
      "text/plain",
      "text/plain",
      "application/octet-stream",
      "application/json",
    ]);
    this.#hub = new code.Hub({
      log: { follow: (follower) => (this.#followers.add(follower), () => this.#followers.delete(follower)) },
      reader: this.#reader,
      maxWindowBytes: this.#choices.oneOf([0, 308, 1_000, 1_000_000]),
    });
    this.#create();
    this.#isQuiet = this.#choices.chance(0.1);
  }

  get #stream(): ModelStream {
    const stream = this.#model.at(PATH);
    if (stream === undefined) throw new Error("the simulation has lost its stream");
    return stream;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS && this.violation === undefined; step += 1) {
      this.#act();
      if (this.#choices.chance(0.6)) await nextTurn();
    }
    await this.#rest();
  }

  close(): void {
    for (const { leaving } of this.#peers) leaving.abort();
    this.#hub.close();
    this.#reader.close();
    this.#db.close();
  }

  fail(what: string): void {
    this.violation ??= what;
  }

  #act(): void {
    const choice = this.#choices.fraction();
    if (choice < 0.36) this.#maybeWrite();
    else if (choice < 0.56) this.#announce(this.#choices.upTo(3), this.#choices.oneOf([1, 1, 1, 2]));
    else if (choice < 0.72) this.#join();
    else if (choice < 0.9) this.#drain();
    else if (choice < 0.93) this.#leave(this.#choices.anyOf([...this.#peers]));
    else if (choice < 0.96 && !this.#isQuiet) this.#lose();
    else if (choice < 0.98) for (const follower of this.#followers) follower.onUncertain?.();
    else if (choice < 0.99) this.#writeToSources();
    else this.#recreate();
  }

  /** The stream, or a fork of a fork of one that has bytes. */
  #create(): void {
    const depth = this.#choices.oneOf([0, 1, 2]);
    if (depth > 0) this.visits.add("fork");
    const paths = [...["/source", "/between"].slice(2 - depth), PATH];
    for (const [index, path] of paths.entries()) {
      const source = this.#model.at(paths[index - 1] ?? "");
      const at = source && this.#choices.below(source.units.length + 1);
      // What goes on there is what would have gone on in the source, or a character would be torn for good.
      if (at !== undefined && source !== undefined && !source.isJson) this.#continueFrom(source, at);
      const operation: CreateOperation = {
        kind: "create",
        path,
        time: 0,
        mediaType: this.#mediaType,
        closes: false,
        bodies: this.#bodies(this.#choices.oneOf([0, 1, 4])),
        ...(source === undefined || at === undefined
          ? {}
          : { fork: { source: source.path, offset: offsetOf(source, at), subOffset: 0 } }),
      };
      this.#commit(operation, this.#model.create(operation));
    }
  }

  #continueFrom({ units }: ModelStream, at: number): void {
    this.#text = Buffer.concat([Buffer.from(units.slice(at) as number[]), this.#text]);
  }

  #maybeWrite(): void {
    if (!this.#isQuiet) this.#write(this.#choices.upTo(3));
  }

  #write(count: number, more: Partial<WriteOperation> = {}): Committed {
    const operation: WriteOperation = {
      kind: "write",
      path: PATH,
      time: 0,
      mediaType: this.#mediaType,
      bodies: this.#bodies(count),
      closes: false,
      ...more,
    };
    return this.#commit(operation, this.#model.write(operation));
  }

  /** Nobody who follows a fork may ever hear of it. */
  #writeToSources(): void {
    for (const path of ["/source", "/between"]) {
      if (this.#model.at(path) === undefined) continue;
      const body = this.#mediaType === "application/json" ? '"never"' : Buffer.from("never");
      const operation = {
        kind: "write",
        path,
        time: 0,
        mediaType: this.#mediaType,
        bodies: [body],
        closes: false,
      } as const;
      this.#commit(operation, this.#model.write(operation));
    }
  }

  /** The writer dies after a commit and before it tells of it; the producer may come again. */
  #lose(): void {
    this.visits.add("lost announcement");
    const producer = { id: "p", epoch: 0, seq: this.#producerSeq++ };
    const lost = this.#write(this.#choices.upTo(2), { producer });
    this.#unannounced.splice(this.#unannounced.indexOf(lost), 1);
    if (this.#choices.chance(0.5))
      this.#commit(lost.operation, this.#model.write(lost.operation as WriteOperation));
    else this.#hasUntold = true;
  }

  #recreate(): void {
    this.visits.add("deleted");
    for (const path of [PATH, "/between", "/source"]) {
      if (this.#model.at(path) === undefined) continue;
      const operation = { kind: "delete", path } as const;
      this.#commit(operation, this.#model.delete(operation));
    }
    this.#producerSeq = 0;
    this.#text = Buffer.alloc(0);
    this.#create();
    if (this.#choices.chance(0.3)) this.#forgetAnnouncements();
    this.#isQuiet = this.#choices.chance(0.2);
  }

  /** The writer dies before it tells of anything: what the store has, it says itself when it is looked at again. */
  #forgetAnnouncements(): void {
    this.#unannounced.length = 0;
    for (const follower of this.#followers) follower.onUncertain?.();
  }

  #commit(operation: Operation, expected: string): Committed {
    const result = this.#apply(operation);
    if (describeResult(result) !== expected)
      throw new Error(`${JSON.stringify(operation)}: expected ${expected}, got ${describeResult(result)}`);
    const committed = { operation, result };
    this.#unannounced.push(committed);
    return committed;
  }

  #announce(count: number, times = 1): void {
    const batch = this.#unannounced.splice(0, count);
    for (let time = 0; time < times; time += 1)
      if (batch.length > 0) for (const follower of this.#followers) follower.onCommitted(batch);
  }

  #join(): void {
    const stream = this.#stream;
    // The live end is the deleted one's still: whoever comes now is sent away with its readers.
    const isDeleted = this.#unannounced.some(({ operation }) => operation.kind === "delete");
    const mayBeSentAway = isDeleted && this.#hub.isFollowed(PATH);
    const live = this.#hub.enter(PATH);
    const start = this.#anyStart(stream);
    const maxUnsentBytes = this.#choices.oneOf([0, 200, 2_000, 1_000_000]);
    const events = this.#code.createStreamEvents({
      mediaType: this.#mediaType,
      cursor: () => "1",
      cursorName: "",
    });
    const sink = new FollowingSink({
      stream,
      encoding: events,
      isText: this.#mediaType === "text/plain",
      start,
      maxUnsentBytes,
      onViolation: (what) => this.fail(what),
      onDelivered: () => (this.delivered += 1),
    });
    const peer: Peer = { sink, leaving: new AbortController(), mayBeSentAway, ended: undefined };
    const subscriber = new this.#code.Subscriber({
      sink,
      stream: live,
      pages: this.#pagesInTurn,
      position: offsetOf(stream, start),
      notBefore: () => 0,
      isOverBudget: () => sink.unsentBytes > maxUnsentBytes,
    });
    this.#peers.add(peer);
    subscriber
      .run(peer.leaving.signal)
      .then((ended) => {
        peer.ended = ended;
        if (ended === "gone" && this.#model.at(PATH) === stream) this.fail(`gone at ${sink.position}`);
        return this.#hub.leave(live);
      })
      .catch((error: unknown) => this.fail(String(error)));
  }

  #page(...[path, request]: Parameters<Reader["page"]>): ReturnType<Reader["page"]> {
    if (++this.#pages > MAX_PAGES) throw new Error("a reader goes round in a circle");
    if (!this.#isResting && !this.#isQuiet && this.#choices.chance(0.2)) {
      this.visits.add("commit during a read");
      this.#write(1);
    }
    // At least a whole character, as every real page has.
    const limits = { maxEntries: 3 + this.#choices.upTo(4), maxBytes: 5 + this.#choices.upTo(10) };
    return this.#reader.page(path, { ...request, ...limits });
  }

  /** The tail, the beginning, or somewhere between: never in the middle of a character of a text. */
  #anyStart({ units, isJson }: ModelStream): number {
    let start = this.#choices.oneOf([units.length, 0, this.#choices.below(units.length + 1)]);
    if (isJson || this.#mediaType !== "text/plain") return start;
    const isInside = (position: number): boolean =>
      isContinuation(units[position] ?? this.#text[position - units.length]);
    while (start > 0 && isInside(start)) start -= 1;
    return start;
  }

  #drain(): void {
    const peer = this.#choices.anyOf([...this.#peers]);
    if (peer?.sink.isSlow === true) this.visits.add("slow reader");
    peer?.sink.drain();
  }

  #leave(peer: Peer | undefined): void {
    peer?.leaving.abort();
    if (peer !== undefined) this.#peers.delete(peer);
  }

  /** Everything is announced and every peer reads: now everyone must come to the tail, or to the end. */
  async #rest(): Promise<void> {
    this.#isResting = true;
    const isClosed = this.#choices.chance(0.4);
    if (isClosed) {
      this.visits.add("closed");
      this.#write(0, { bodies: this.#choices.chance(0.5) ? this.#bodies(1) : [], closes: true });
      if (this.#choices.chance(0.2)) this.#forgetAnnouncements();
    } else if (this.#hasUntold || (!this.#isQuiet && this.#choices.chance(0.5))) this.#write(1);
    this.#announce(Number.POSITIVE_INFINITY);
    for (let turn = 0; turn < REST_TURNS && this.#unrest(isClosed) !== undefined; turn += 1)
      await this.#turn();
    // What is at rest must stay so.
    for (let turn = 0; turn < CALM_TURNS; turn += 1) await this.#turn();
    const unrest = this.#unrest(isClosed);
    if (unrest !== undefined) this.fail(unrest);
    if ([...this.#peers].some(({ sink }) => sink.stream === this.#stream && sink.isHolding))
      this.visits.add("half a character at the tail");
  }

  async #turn(): Promise<void> {
    if (this.violation !== undefined) return;
    for (const { sink } of this.#peers) sink.drain();
    await nextTurn();
  }

  /** What somebody still lacks, in words. */
  #unrest(isClosed: boolean): string | undefined {
    const stream = this.#stream;
    const staying = [...this.#peers].filter(
      ({ sink, mayBeSentAway, ended }) => sink.stream === stream && !(mayBeSentAway && ended === "deleted"),
    );
    for (const { sink, ended } of staying) {
      if (sink.isBehind({ isClosed })) return `${sink.position} of ${stream.units.length} were delivered`;
      if (ended !== (isClosed ? "closed" : undefined)) return `ended with ${ended}`;
    }
    for (const { sink, ended } of this.#peers) {
      if (sink.stream !== stream && ended !== "deleted" && ended !== "gone")
        return `a reader of a deleted stream: ${ended}`;
    }
    const live = this.#hub.liveCount(PATH);
    return isClosed || live === staying.length ? undefined : `${live} of ${staying.length} came live`;
  }

  /** Messages, or the next bytes of a text without end, cut anywhere. */
  #bodies(count: number): Body[] {
    return Array.from({ length: count }, () => {
      if (this.#mediaType === "application/json") return JSON.stringify(this.#choices.upTo(1_000));
      while (this.#text.length < 8)
        this.#text = Buffer.concat([this.#text, Buffer.from(this.#choices.oneOf(LETTERS))]);
      const length = this.#choices.oneOf([1, 1, 2, 5]);
      const body = Buffer.from(this.#text.subarray(0, length));
      this.#text = this.#text.subarray(length);
      return body;
    });
  }
}

function isContinuation(unit: string | number | undefined): boolean {
  return typeof unit === "number" && (unit & 0xc0) === 0x80;
}
