import { sumOf } from "../load/histogram.ts";
import type { SubscribersResult } from "../load/subscribers.ts";
import type { OpenLoopResult } from "../load/open-loop.ts";
import { upcomingWindow } from "./closed-loop.ts";
import { liveEndpoint, toPublisherJob } from "./fan-out.ts";
import type { Column, Run, Scenario, Session, Size } from "./scenario.ts";

export interface SlowSetup {
  readonly name: string;
  readonly transport: "ws" | "sse";
  readonly targets: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { key: "aloneMb", label: "RSS +MB alone", decimals: 1 },
  { key: "stalledMb", label: "RSS +MB beside", decimals: 1, isCompared: true },
  { key: "aloneP99Ms", label: "p99 ms alone", decimals: 2 },
  { key: "stalledP99Ms", label: "p99 ms beside", decimals: 2 },
];
const STALLED = 10;
const READERS = 5;
/** 5 MB/s: 25 MB in the 5 s of a full run. */
const MESSAGE_BYTES = 20_000;
const PER_SEC = 250;
const BYTES_PER_MB = 1e6;
/** Memory is given back in its own time: the least of several looks counts. */
const LOOKS = 5;
const CATCH_UP_MS = 60_000;

/** Subscribers that do not read while much is published: what they cost in memory, and those who do read in time. */
export function createSlow({ name, transport, targets }: SlowSetup): Scenario {
  return {
    name,
    describe: (size) =>
      `${STALLED} ${transport === "ws" ? "WebSocket" : "SSE"} subscribers that do not read and ${READERS} that do while ${megabytes(size)} MB are published in messages of ${MESSAGE_BYTES / 1_000} kB; beside the same alone; then the ${STALLED} read on; every message checked`,
    targets,
    columns: COLUMNS,
    run: (session) => runSlow(session, transport),
  };
}

function megabytes({ durationMs }: Size): number {
  return (MESSAGE_BYTES * PER_SEC * durationMs) / 1_000 / BYTES_PER_MB;
}

async function runSlow(session: Session, transport: "ws" | "sse"): Promise<Run> {
  const { endpoints, size } = session;
  const endpoint = liveEndpoint(endpoints, transport);
  const job = {
    ...toPublisherJob(session, { publishesPerSec: PER_SEC, transport }),
    messageBytes: MESSAGE_BYTES,
  };
  const publisher = session.startLoad();
  await publisher.call("openOpenLoop", job);
  const target = { endpoint, lanes: job.lanes };

  /** Readers of their own for each part, so that each has its own latencies. */
  const publish = async (before: readonly number[]): Promise<Part> => {
    const readers = session.startLoad();
    await readers.call("subscribe", { ...target, subscribers: READERS, before });
    const window = upcomingWindow(size);
    const begun = readers.call("begin", window);
    const published = await publisher.call("runOpenLoop", window);
    await begun;
    const read = await readers.call("finish", { sent: published.sent, timeoutMs: CATCH_UP_MS });
    await readers.close();
    return { published, read, rssBytes: await leastRss(session) };
  };

  const nothing = Array.from({ length: job.lanes }, () => 0);
  const warm = await publish(nothing);
  const alone = await publish(warm.published.sent);
  const before = alone.published.sent;
  const stalled = session.startLoad();
  await stalled.call("subscribe", { ...target, subscribers: STALLED, before });
  await stalled.call("pause", null);
  const beside = await publish(before);
  await stalled.call("resume", null);
  const caughtUp = await stalled.call("finish", { sent: beside.published.sent, timeoutMs: CATCH_UP_MS });
  return {
    figures: {
      aloneMb: (alone.rssBytes - warm.rssBytes) / BYTES_PER_MB,
      stalledMb: (beside.rssBytes - alone.rssBytes) / BYTES_PER_MB,
      aloneP99Ms: sumOf([alone.read.latency]).percentileMs(0.99),
      stalledP99Ms: sumOf([beside.read.latency]).percentileMs(0.99),
    },
    notes: toNotes([warm, alone, beside]),
    problems: [
      ...[warm, alone, beside].flatMap(({ published, read }) => [
        ...(published.problem === undefined ? [] : [published.problem]),
        ...read.problems,
      ]),
      ...caughtUp.problems.map((problem) => `having read on: ${problem}`),
    ],
  };
}

interface Part {
  readonly published: OpenLoopResult;
  readonly read: SubscribersResult;
  readonly rssBytes: number;
}

function toNotes(parts: readonly Part[]): string[] {
  const due = parts.reduce((sum, { published }) => sum + published.due, 0);
  const sent = parts.at(-1)?.published.sent.reduce((sum, count) => sum + count, 0) ?? 0;
  return sent < due ? ["did not keep up with the publishes"] : [];
}

async function leastRss(session: Session): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) least = Math.min(least, await session.rssBytes());
  return least;
}
