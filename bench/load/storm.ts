import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuUs, nowUs, sleepUntil } from "./clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { Histogram } from "./histogram.ts";
import { createMarkScanner } from "./mark.ts";
import { NeedleScanner } from "./needle-scanner.ts";
import { openReader } from "./open-reader.ts";
import { Reading } from "./reading.ts";

export interface StormJob {
  readonly endpoint: Endpoint;
  readonly clients: number;
  /** Lanes that the publishers have. */
  readonly lanes: number;
}

export interface StormResult {
  /** From the beginning of the storm to when a client had all that it had missed and was live, of each client. */
  readonly liveAfter: readonly number[];
  /** Share of one core that this process used meanwhile. */
  readonly busy: number;
}

/** More at once would overflow the backlog of a target with Node's default; only the storm itself does. */
const CONNECTS_AT_ONCE = 50;
const WAIT_MS = 30_000;
const POLL_MS = 5;
const MAX_PROBLEMS = 3;

interface Client {
  readonly reading: Reading;
  id: string | undefined;
  socket: Socket | undefined;
  liveAfterUs: number | undefined;
}

/** Subscribers of one stream that are all cut off and all come back at once, each from the id that it has read last. */
export class Storm {
  readonly #clients: Client[] = [];
  readonly #readBuffer = Buffer.allocUnsafe(64 * 1_024);
  readonly #problems: string[] = [];
  #job: StormJob | undefined;

  async open(job: StormJob): Promise<void> {
    this.#job = job;
    const before = Array.from({ length: job.lanes }, () => 0);
    for (let from = 0; from < job.clients; from += CONNECTS_AT_ONCE) {
      const count = Math.min(CONNECTS_AT_ONCE, job.clients - from);
      const clients = Array.from({ length: count }, (): Client => ({
        reading: new Reading(before),
        id: undefined,
        socket: undefined,
        liveAfterUs: undefined,
      }));
      await Promise.all(clients.map((client) => this.#connect(client, () => {})));
      this.#clients.push(...clients);
    }
  }

  /** Waits until everyone has read what was sent, and cuts everyone off. */
  async cut(sent: readonly number[]): Promise<void> {
    await this.#untilRead(sent);
    for (const client of this.#clients) {
      client.socket?.destroy();
      client.socket = undefined;
    }
  }

  /** Brings everyone back at once, at a time of `nowUs`, and waits until each has read what was sent. */
  async run({ atUs, sent }: { atUs: number; sent: readonly number[] }): Promise<StormResult> {
    const missedUpTo = totalOf(sent);
    await sleepUntil(atUs);
    const cpuBefore = cpuUs();
    const liveAfter = new Histogram();
    const connecting = this.#clients.map((client) =>
      this.#connect(client, () => {
        if (client.reading.received >= missedUpTo) client.liveAfterUs ??= nowUs() - atUs;
      }),
    );
    await Promise.all(connecting).catch((thrown: unknown) => this.#problems.push(String(thrown)));
    const isLive = ({ liveAfterUs }: Client): boolean => liveAfterUs !== undefined;
    await this.#until(() => this.#clients.every(isLive));
    const busy = (cpuUs() - cpuBefore) / (nowUs() - atUs);
    for (const { liveAfterUs } of this.#clients) {
      if (liveAfterUs === undefined) this.#problems.push("a client never came live");
      else liveAfter.record(liveAfterUs);
    }
    return { liveAfter: liveAfter.toCounts(), busy };
  }

  /** Waits for what was sent. @returns what was lost, doubled or out of order. */
  async finish(sent: readonly number[]): Promise<readonly string[]> {
    await this.#untilRead(sent);
    const wrong = this.#clients.flatMap(({ reading }) => reading.check(sent) ?? []);
    return [...this.#problems, ...wrong].slice(0, MAX_PROBLEMS);
  }

  async #connect(client: Client, onRead: () => void): Promise<void> {
    if (this.#job === undefined) throw new Error("a storm before it was opened");
    const { endpoint } = this.#job;
    const { resume } = endpoint;
    if (resume === undefined) throw new Error("the target has no way to come back");
    const marks = createMarkScanner((lane, number) => {
      client.reading.read(lane, number);
      onRead();
    });
    const ids = new NeedleScanner(resume.idText, {
      bytesAfter: resume.idBytes,
      onFound: (bytes, at) => {
        const idAt = at + resume.idText.length;
        client.id = bytes.toString("latin1", idAt, idAt + resume.idBytes);
      },
    });
    client.socket = await openReader(comingBack(endpoint, { parameter: resume.parameter, id: client.id }), {
      lane: 0,
      readBuffer: this.#readBuffer,
      onLost: (reason) => this.#problems.push(reason),
      onBytes: (bytes) => {
        marks.push(bytes);
        ids.push(bytes);
      },
    });
  }

  async #untilRead(sent: readonly number[]): Promise<void> {
    const expected = totalOf(sent);
    await this.#until(() =>
      this.#clients.every(({ reading }) => reading.problem !== undefined || reading.received >= expected),
    );
  }

  async #until(isDone: () => boolean): Promise<void> {
    const giveUpAtUs = nowUs() + WAIT_MS * 1_000;
    while (!isDone() && this.#problems.length === 0 && nowUs() < giveUpAtUs) await sleep(POLL_MS);
  }
}

/** The endpoint from after an id, where one was read. */
function comingBack(
  endpoint: Endpoint,
  { parameter, id }: { parameter: string; id: string | undefined },
): Endpoint {
  if (id === undefined) return endpoint;
  const url = new URL(endpoint.url);
  url.searchParams.set(parameter, id);
  return { ...endpoint, url: url.href };
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
