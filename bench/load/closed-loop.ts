import { cpuUs, nowUs, sleepUntil } from "./clock.ts";
import type { Window } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { Histogram } from "./histogram.ts";
import { PayloadMaker } from "./mark.ts";
import { openPublisher } from "./open-publisher.ts";
import type { Publisher } from "./publisher.ts";

export interface ClosedLoopJob {
  readonly endpoint: Endpoint;
  /** The lanes of this process: `firstLane` and those after it, a connection each. */
  readonly firstLane: number;
  readonly lanes: number;
  /** Messages of one connection that are on their way at once; 1 for POST. */
  readonly inFlight: number;
}

export interface ClosedLoopResult {
  /** Messages acknowledged in all, by lane. */
  readonly acknowledged: readonly number[];
  /** From the sending of a message to its acknowledgement, of those within the window. */
  readonly latency: readonly number[];
  /** Share of one core that this process used within the window. */
  readonly busy: number;
  /** What went wrong, if anything. */
  readonly problem?: string;
}

/** What was sent is acknowledged within this, or lost. */
const LAST_ANSWERS_MS = 10_000;

/** Publishes as fast as a number of waiting publishers can: each sends its next message when one is acknowledged. */
export class ClosedLoop {
  readonly #lanes: Lane[] = [];
  #problem: string | undefined;

  async open({ endpoint, firstLane, lanes, inFlight }: ClosedLoopJob): Promise<void> {
    const readBuffer = Buffer.allocUnsafe(64 * 1_024);
    const payloads = new PayloadMaker(endpoint.wrap ?? { prefix: "", suffix: "" });
    for (let index = 0; index < lanes; index += 1) {
      const lane = new Lane({ lane: firstLane + index, inFlight, payloads });
      const publisher = await openPublisher(endpoint, {
        lane: firstLane + index,
        readBuffer,
        onAcknowledged: () => lane.acknowledge(),
        onFailed: (reason) => (this.#problem ??= reason),
      });
      lane.use(publisher);
      this.#lanes.push(lane);
    }
  }

  async run(window: Window): Promise<ClosedLoopResult> {
    await sleepUntil(window.startUs);
    for (const lane of this.#lanes) lane.start(window);
    await sleepUntil(window.measuredFromUs);
    const cpuBefore = cpuUs();
    await sleepUntil(window.endUs);
    const busy = (cpuUs() - cpuBefore) / (window.endUs - window.measuredFromUs);
    await this.#lastAnswers();
    const latency = new Histogram();
    for (const lane of this.#lanes) latency.add(lane.latency);
    return {
      acknowledged: this.#lanes.map((lane) => lane.acknowledged),
      latency: latency.toCounts(),
      busy,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  async #lastAnswers(): Promise<void> {
    const giveUpAtUs = nowUs() + LAST_ANSWERS_MS * 1_000;
    while (this.#lanes.some((lane) => lane.isWaiting) && this.#problem === undefined) {
      if (nowUs() > giveUpAtUs) this.#problem = "some messages were never acknowledged";
      await sleepUntil(nowUs() + 5_000);
    }
  }
}

class Lane {
  readonly #lane: number;
  readonly #inFlight: number;
  readonly #payloads: PayloadMaker;
  readonly latency: Histogram = new Histogram();
  /** When each message on its way was sent, the oldest first. */
  readonly #sentAtUs: number[] = [];
  #publisher: Publisher | undefined;
  #window: Window | undefined;
  #sent = 0;
  acknowledged = 0;

  constructor({ lane, inFlight, payloads }: { lane: number; inFlight: number; payloads: PayloadMaker }) {
    this.#lane = lane;
    this.#inFlight = inFlight;
    this.#payloads = payloads;
  }

  get isWaiting(): boolean {
    return this.#sentAtUs.length > 0;
  }

  use(publisher: Publisher): void {
    this.#publisher = publisher;
  }

  start(window: Window): void {
    this.#window = window;
    for (let index = 0; index < this.#inFlight; index += 1) this.#send(nowUs());
  }

  acknowledge(): void {
    const now = nowUs();
    const sentAtUs = this.#sentAtUs.shift();
    if (this.#window === undefined || sentAtUs === undefined) return;
    this.acknowledged += 1;
    const { measuredFromUs, endUs } = this.#window;
    if (now >= measuredFromUs && now < endUs) this.latency.record(now - sentAtUs);
    if (now < endUs) this.#send(now);
  }

  #send(now: number): void {
    this.#sentAtUs.push(now);
    this.#publisher?.publish(this.#payloads.make({ lane: this.#lane, number: this.#sent, atUs: now }));
    this.#sent += 1;
  }
}
