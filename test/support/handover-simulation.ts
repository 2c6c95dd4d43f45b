import { setImmediate as nextTurn } from "node:timers/promises";
import { SSE_ENCODING, WEBSOCKET_ENCODING } from "#src/broker/encoding.ts";
import type { Encoding } from "#src/broker/encoding.ts";
import type { Hub } from "#src/broker/hub.ts";
import type { Pages } from "#src/broker/pages.ts";
import type { Subscriber } from "#src/broker/subscriber.ts";
import { encodeOffset, ORIGIN } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import { Choices } from "./choices.ts";
import { PATH, SimulatedLog } from "./handover-log.ts";
import { SimulatedSink } from "./handover-sink.ts";
import type { Verdict } from "./seeded-runs.ts";

/** The code under trial: the real one, or one with a fault. */
export interface HandoverCode {
  readonly Hub: typeof Hub;
  readonly Pages: typeof Pages;
  readonly Subscriber: typeof Subscriber;
}

/** Faults of the log itself, which the code must not be able to hide from the simulation. */
export interface LogFaults {
  readonly announcesBeforeCommit?: boolean;
}

const STEPS = 120;
/** Enough for everyone to come to rest; a subscriber that needs more is stuck. */
const REST_TURNS = 200;

/**
 * Runs the hub and its subscribers against a simulated log, in an order of events that the seed decides:
 * commits, late announcements, lost ones, joins, slow peers, pruning, new lives, windows of a few hundred bytes.
 */
export async function simulateHandover(
  seed: number,
  code: HandoverCode,
  faults: LogFaults = {},
): Promise<Verdict> {
  const simulation = new Simulation(seed, code, faults);
  await simulation.run();
  return simulation;
}

interface Peer {
  readonly sink: SimulatedSink;
  readonly leaving: AbortController;
  ended: "gone" | "aborted" | undefined;
}

class Simulation implements Verdict {
  violation: string | undefined;
  delivered = 0;
  readonly visits = new Set<string>();
  readonly #code: HandoverCode;
  readonly #faults: LogFaults;
  readonly #choices: Choices;
  readonly #log: SimulatedLog;
  readonly #hub: Hub;
  readonly #pages: Pages;
  readonly #peers = new Set<Peer>();
  #proposedDrop: Offset | undefined;
  #isResting = false;

  constructor(seed: number, code: HandoverCode, faults: LogFaults) {
    this.#code = code;
    this.#faults = faults;
    this.#choices = new Choices(seed);
    this.#log = new SimulatedLog({
      beforeRead: () => this.#onRead(),
      pageLength: () => this.#choices.upTo(4),
    });
    this.#pages = new code.Pages(this.#log);
    this.#hub = new code.Hub({
      log: this.#log,
      reader: this.#log,
      maxWindowBytes: this.#choices.oneOf([0, 1_000, 4_000, 1_000_000]),
    });
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS && this.violation === undefined; step += 1) {
      this.#act();
      if (this.#choices.chance(0.6)) await nextTurn();
    }
    await this.#rest();
    this.#hub.close();
  }

  #act(): void {
    const choice = this.#choices.fraction();
    if (choice < 0.3) this.#commit();
    else if (choice < 0.5)
      this.#log.announce(this.#choices.upTo(3), { times: this.#choices.oneOf([1, 1, 1, 2]) });
    else if (choice < 0.68) this.#join();
    else if (choice < 0.88) this.#drain(this.#anyPeer());
    else if (choice < 0.91) this.#leave(this.#anyPeer());
    else if (choice < 0.94) this.#prune();
    else if (choice < 0.97) this.#lose();
    else this.#drop();
  }

  #commit(): void {
    if (this.#faults.announcesBeforeCommit === true) this.#log.announceEarly(this.#choices.upTo(4));
    else this.#log.commit(this.#choices.upTo(4));
  }

  #onRead(): void {
    if (this.#isResting || !this.#choices.chance(0.2)) return;
    this.visits.add("commit during a read");
    this.#log.commit(1);
  }

  #lose(): void {
    this.visits.add("lost announcement");
    this.#log.loseAnnouncement(this.#log.commit(this.#choices.upTo(2)), {
      isRepeated: this.#choices.chance(0.5),
    });
  }

  #prune(): void {
    this.visits.add("pruned");
    const { oldest, tail } = this.#log;
    this.#log.trim(oldest + this.#choices.upTo(Math.max(1, tail.position - oldest)));
  }

  /** Proposed when nobody follows, committed at some later moment, when somebody may again. */
  #drop(): void {
    if (this.#proposedDrop !== undefined) {
      if (this.#hub.isFollowed(PATH)) this.visits.add("dropped under a follower");
      this.#log.drop(this.#proposedDrop);
      this.#proposedDrop = undefined;
      return;
    }
    for (const peer of this.#peers) if (this.#choices.chance(0.8)) this.#leave(peer);
    if (this.#log.tail.position > 0) this.#proposedDrop = this.#log.tail;
  }

  #join(): void {
    const stream = this.#hub.enter(PATH);
    const start = this.#anyStart();
    const maxUnsentBytes = this.#choices.oneOf([0, 200, 2_000, 1_000_000]);
    const sink = new SimulatedSink({
      log: this.#log,
      encoding: this.#choices.oneOf<Encoding>([SSE_ENCODING, WEBSOCKET_ENCODING]),
      start,
      maxUnsentBytes,
      onViolation: (what) => this.#fail(what),
      onDelivered: () => (this.delivered += 1),
    });
    const peer: Peer = { sink, leaving: new AbortController(), ended: undefined };
    const subscriber = new this.#code.Subscriber({
      sink,
      stream,
      pages: this.#pages,
      position: start,
      notBefore: () => 0,
      isOverBudget: () => sink.unsentBytes > maxUnsentBytes,
    });
    this.#peers.add(peer);
    subscriber
      .run(peer.leaving.signal)
      .then((ended) => {
        if (ended === "closed" || ended === "deleted") throw new Error(`the stream is ${ended}`);
        peer.ended = ended;
        if (ended === "gone") this.#onGone(peer);
        return this.#hub.leave(stream);
      })
      .catch((error: unknown) => this.#fail(String(error)));
  }

  #onGone({ sink }: Peer): void {
    this.visits.add("gone");
    if (!this.#log.isGone(sink.last))
      this.#fail(`gone at ${encodeOffset(sink.last)}, where nothing was missed`);
  }

  /** The live tail, the oldest message, somewhere between, or somewhere that may be gone. */
  #anyStart(): Offset {
    const { tail, oldest } = this.#log;
    const anywhere = { ...tail, position: this.#choices.below(tail.position + 1) };
    return this.#choices.oneOf([tail, { ...tail, position: oldest }, anywhere, ORIGIN]);
  }

  #drain(peer: Peer | undefined): void {
    if (peer === undefined) return;
    if (peer.sink.isSlow) this.visits.add("slow subscriber");
    peer.sink.drain();
  }

  #leave(peer: Peer | undefined): void {
    peer?.leaving.abort();
    if (peer !== undefined) this.#peers.delete(peer);
  }

  /** Everything is announced and every peer reads: now everyone must come to the tail. */
  async #rest(): Promise<void> {
    this.#isResting = true;
    if (this.#log.hasUntold || this.#choices.chance(0.5)) this.#log.commit(1);
    this.#log.announce(Number.POSITIVE_INFINITY);
    for (let turn = 0; turn < REST_TURNS; turn += 1) {
      for (const { sink } of this.#peers) sink.drain();
      await nextTurn();
    }
    const staying = [...this.#peers].filter(({ ended }) => ended !== "gone");
    const live = this.#hub.liveCount(PATH);
    if (live < staying.length) this.#fail(`${live} of ${staying.length} subscribers came live`);
    for (const peer of staying) {
      const next = this.#log.next(peer.sink.last);
      if (next !== undefined) this.#fail(`${encodeOffset(next)} was never delivered`);
      this.#leave(peer);
    }
    await nextTurn();
  }

  #fail(what: string): void {
    this.violation ??= what;
  }

  #anyPeer(): Peer | undefined {
    return this.#choices.anyOf([...this.#peers]);
  }
}
