import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUs, nowUs, sleepUntil } from "./clock.ts";
import type { Window } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { Histogram } from "./histogram.ts";
import { createMarkScanner } from "./mark.ts";
import { openReader } from "./open-reader.ts";
import { Reading } from "./reading.ts";

export interface SubscribersJob {
  readonly endpoint: Endpoint;
  readonly subscribers: number;
  /** Lanes that the publishers have. */
  readonly lanes: number;
  /** The lane whose stream is read, where each has its own. @default 0 */
  readonly lane?: number;
  /** How many messages each lane has sent before. @default none */
  readonly before?: readonly number[];
}

export interface SubscribersResult {
  /** From the time when a message was due to its being read, of all read since the window began. */
  readonly latency: readonly number[];
  /** When the last message was read, by `nowUs`. */
  readonly lastReadUs: number;
  /** Share of one core that this process used from the window's begin to the last message. */
  readonly busy: number;
  /** The hashes of the orders that subscribers have read in: one if all agree. */
  readonly orders: readonly number[];
  /** What is wrong with the first subscribers that did not get every message once and in order. */
  readonly problems: readonly string[];
}

/** More at once would overflow the backlog of a target with Node's default. */
const CONNECTS_AT_ONCE = 50;
/** A message that comes twice is seen within this. */
const REPEATS_MS = 100;
const MAX_PROBLEMS = 3;

/** Subscribers of one stream that check and time every message. */
export class Subscribers {
  readonly #sockets: Socket[] = [];
  readonly #readings: Reading[] = [];
  readonly #latency = new Histogram();
  readonly #lost: string[] = [];
  #measuredFromUs = Number.POSITIVE_INFINITY;
  #lastReadUs = 0;
  #cpuBefore = 0;

  async open({ endpoint, subscribers, lanes, lane = 0, before }: SubscribersJob): Promise<void> {
    const sentBefore = before ?? Array.from({ length: lanes }, () => 0);
    const readBuffer = Buffer.allocUnsafe(64 * 1_024);
    for (let from = 0; from < subscribers; from += CONNECTS_AT_ONCE) {
      const count = Math.min(CONNECTS_AT_ONCE, subscribers - from);
      await Promise.all(
        Array.from({ length: count }, () => this.#subscribe(endpoint, { lane, sentBefore, readBuffer })),
      );
    }
  }

  async #subscribe(
    endpoint: Endpoint,
    { lane, sentBefore, readBuffer }: { lane: number; sentBefore: readonly number[]; readBuffer: Buffer },
  ): Promise<void> {
    const reading = new Reading(sentBefore);
    this.#readings.push(reading);
    const marks = createMarkScanner((from, number, atUs) => {
      reading.read(from, number);
      if (this.#lastReadUs >= this.#measuredFromUs) this.#latency.record(this.#lastReadUs - atUs);
    });
    const socket = await openReader(endpoint, {
      lane,
      readBuffer,
      onLost: (reason) => this.#lost.push(reason),
      onBytes: (bytes) => {
        this.#lastReadUs = nowUs(); // once a read: what came together was read together
        marks.push(bytes);
      },
    });
    this.#sockets.push(socket);
  }

  /** Stops taking bytes from the sockets. */
  async pause(): Promise<void> {
    for (const socket of this.#sockets) socket.pause();
  }

  async resume(): Promise<void> {
    for (const socket of this.#sockets) socket.resume();
  }

  /** Says from when on reads are measured. */
  async begin({ measuredFromUs }: Window): Promise<void> {
    this.#measuredFromUs = measuredFromUs;
    await sleepUntil(measuredFromUs);
    this.#cpuBefore = cpuUs();
  }

  /**
   * Waits until every subscriber has every message.
   *
   * @param sent how many messages each lane has sent.
   * @param timeoutMs how long to wait for them.
   */
  async finish({
    sent,
    timeoutMs,
  }: {
    sent: readonly number[];
    timeoutMs: number;
  }): Promise<SubscribersResult> {
    const expected = sent.reduce((sum, count) => sum + count, 0);
    const giveUpAtUs = nowUs() + timeoutMs * 1_000;
    const isDone = (): boolean =>
      this.#lost.length > 0 ||
      this.#readings.every(({ received, problem }) => problem !== undefined || received >= expected);
    while (!isDone() && nowUs() < giveUpAtUs) await sleep(10);
    const busy = (cpuUs() - this.#cpuBefore) / (nowUs() - this.#measuredFromUs);
    const lastReadUs = this.#lastReadUs;
    await sleep(REPEATS_MS);
    const wrong = this.#readings
      .map((reading) => reading.check(sent))
      .filter((problem) => problem !== undefined);
    return {
      latency: this.#latency.toCounts(),
      lastReadUs,
      busy,
      orders: [...new Set(this.#readings.map(({ order }) => order))],
      problems: [...this.#lost, ...wrong].slice(0, MAX_PROBLEMS),
    };
  }

  /** Drops the connections. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
