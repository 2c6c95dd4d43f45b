import { cpuUs, nowUs, sleepUntil } from "./clock.ts";
import type { Window } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { Histogram } from "./histogram.ts";
import { PayloadMaker } from "./mark.ts";
import { openPublisher } from "./open-publisher.ts";
import type { Publisher } from "./publisher.ts";

export interface OpenLoopJob {
  readonly endpoint: Endpoint;
  readonly publishesPerSec: number;
  /** Connections; each message takes one that has room. */
  readonly lanes: number;
  /** Messages of one connection that are on their way at once; what is due meanwhile waits, and counts from when it was due. */
  readonly inFlight: number;
  /** The length of a message's JSON. @default 256 */
  readonly messageBytes?: number;
}

export interface OpenLoopResult {
  /** Messages that were due. */
  readonly due: number;
  /** Messages sent, by lane. Fewer than were due if the target did not keep up. */
  readonly sent: readonly number[];
  /** From the time when a message was due to its sending, of those within the window. */
  readonly lateness: readonly number[];
  /** Share of one core that this process used. */
  readonly busy: number;
  readonly problem?: string;
}

/** Timers fire up to a millisecond late; the last stretch is waited out by blocking, without CPU. */
const BLOCK_BELOW_US = 1_500;
const LAST_ANSWERS_MS = 30_000;

interface Lane {
  readonly publisher: Publisher;
  sent: number;
  acknowledged: number;
}

/**
 * Publishes at given times, however long the answers take: a target that stalls cannot make the measure wait for
 * it (coordinated omission).
 */
export class OpenLoop {
  readonly #lanes: Lane[] = [];
  readonly #lateness = new Histogram();
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));
  #job: OpenLoopJob | undefined;
  #payloads: PayloadMaker | undefined;
  #problem: string | undefined;

  async open(job: OpenLoopJob): Promise<void> {
    this.#job = job;
    this.#payloads = new PayloadMaker(job.endpoint.wrap ?? { prefix: "", suffix: "" }, job.messageBytes);
    const readBuffer = Buffer.allocUnsafe(64 * 1_024);
    for (let lane = 0; lane < job.lanes; lane += 1) {
      const publisher = await openPublisher(job.endpoint, {
        lane,
        readBuffer,
        onAcknowledged: () => this.#acknowledge(lane),
        onFailed: (reason) => (this.#problem ??= reason),
      });
      this.#lanes.push({ publisher, sent: 0, acknowledged: 0 });
    }
  }

  /** Publishes within a window. Run again, it goes on where it left off: `sent` counts all windows. */
  async run(window: Window): Promise<OpenLoopResult> {
    if (this.#job === undefined) throw new Error("run before open");
    const { publishesPerSec } = this.#job;
    const due = Math.floor(((window.endUs - window.startUs) / 1e6) * publishesPerSec);
    const cpuBefore = cpuUs();
    for (let index = 0; index < due && this.#problem === undefined; index += 1) {
      const dueAtUs = window.startUs + Math.round((index / publishesPerSec) * 1e6);
      await this.#waitUntil(dueAtUs);
      const lane = await this.#freeLane(window);
      if (lane === undefined) break;
      this.#send(lane, dueAtUs);
      const sentAtUs = nowUs();
      if (sentAtUs >= window.measuredFromUs) this.#lateness.record(sentAtUs - dueAtUs);
    }
    const busy = (cpuUs() - cpuBefore) / (nowUs() - window.startUs);
    await this.#lastAnswers();
    return {
      due,
      sent: this.#lanes.map(({ sent }) => sent),
      lateness: this.#lateness.toCounts(),
      busy,
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  async #waitUntil(dueAtUs: number): Promise<void> {
    await sleepUntil(dueAtUs - BLOCK_BELOW_US);
    const restMs = (dueAtUs - nowUs()) / 1_000;
    if (restMs > 0) Atomics.wait(this.#gate, 0, 0, restMs);
  }

  /** A lane that has room, once there is one; `undefined` if the time is over before. */
  async #freeLane({ endUs }: Window): Promise<number | undefined> {
    for (;;) {
      const lane = this.#lanes.findIndex(
        ({ sent, acknowledged }) => sent - acknowledged < (this.#job?.inFlight ?? 0),
      );
      if (lane !== -1) return lane;
      if (nowUs() >= endUs || this.#problem !== undefined) return undefined;
      await sleepUntil(nowUs() + 1_000);
    }
  }

  #send(index: number, atUs: number): void {
    const lane = this.#lanes[index];
    if (lane === undefined || this.#payloads === undefined) return;
    lane.publisher.publish(this.#payloads.make({ lane: index, number: lane.sent, atUs }));
    lane.sent += 1;
  }

  #acknowledge(index: number): void {
    const lane = this.#lanes[index];
    if (lane !== undefined) lane.acknowledged += 1;
  }

  async #lastAnswers(): Promise<void> {
    const giveUpAtUs = nowUs() + LAST_ANSWERS_MS * 1_000;
    while (this.#lanes.some(({ sent, acknowledged }) => sent > acknowledged) && this.#problem === undefined) {
      if (nowUs() > giveUpAtUs) this.#problem = "some messages were never acknowledged";
      await sleepUntil(nowUs() + 5_000);
    }
  }
}
