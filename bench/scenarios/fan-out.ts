import { sleepUntil } from "../load/clock.ts";
import type { Window } from "../load/clock.ts";
import type { Endpoint } from "../load/endpoint.ts";
import { Histogram, sumOf } from "../load/histogram.ts";
import type { OpenLoopJob, OpenLoopResult } from "../load/open-loop.ts";
import type { SubscribersResult } from "../load/subscribers.ts";
import { upcomingWindow } from "./closed-loop.ts";
import { coreFigures, CPU_COLUMNS, CpuMeter } from "./cpu-meter.ts";
import type { CpuUse } from "./cpu-meter.ts";
import { GENERATOR_LIMIT } from "./scenario.ts";
import type { Column, Run, Scenario, Session } from "./scenario.ts";

export interface FanOut {
  readonly name: string;
  readonly publishesPerSec: number;
  readonly transport: "ws" | "sse";
  readonly targets: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { key: "perSec", label: "deliveries/s", decimals: 0, isCompared: true },
  { key: "p50Ms", label: "p50 ms", decimals: 2 },
  { key: "p99Ms", label: "p99 ms", decimals: 2 },
  { key: "cpuUs", label: "CPU µs each", decimals: 2, isCompared: true },
  ...CPU_COLUMNS,
  { key: "lateP99Ms", label: "late p99 ms", decimals: 2 },
  { key: "takenPercent", label: "taken %", decimals: 0 },
];
/** Processes that share the subscribers. */
const SUBSCRIBER_PROCESSES = 2;
/** A target that did not keep up may take this long to deliver what it took. */
const DRAIN_MS = 30_000;

/** An open-loop publisher and many subscribers of one stream, each of which checks every message. */
export function createFanOut({ name, publishesPerSec, transport, targets }: FanOut): Scenario {
  return {
    name,
    describe: ({ subscribers }) =>
      `${subscribers.toLocaleString("en")} ${transport === "ws" ? "WebSocket" : "SSE"} subscribers on one stream, ${publishesPerSec} publishes/s of 256 B (open loop), latency from when each was due, every message checked`,
    targets,
    columns: COLUMNS,
    run: (session) => runFanOut(session, { publishesPerSec, transport }),
  };
}

async function runFanOut(
  session: Session,
  { publishesPerSec, transport }: Pick<FanOut, "publishesPerSec" | "transport">,
): Promise<Run> {
  const { endpoints, size } = session;
  const live = liveEndpoint(endpoints, transport);
  const job = toPublisherJob(session, { publishesPerSec, transport });
  const publisher = session.startLoad();
  const readers = Array.from({ length: SUBSCRIBER_PROCESSES }, () => session.startLoad());
  const subscribers = size.subscribers / SUBSCRIBER_PROCESSES;
  await Promise.all(
    readers.map((reader) => reader.call("subscribe", { endpoint: live, subscribers, lanes: job.lanes })),
  );
  await publisher.call("openOpenLoop", job);

  const window = upcomingWindow(size);
  const begun = Promise.all(readers.map((reader) => reader.call("begin", window)));
  const publishing = publisher.call("runOpenLoop", window);
  await sleepUntil(window.measuredFromUs);
  const meter = await CpuMeter.start(session);
  const published = await publishing;
  await begun;
  const expected = { sent: published.sent, timeoutMs: DRAIN_MS };
  const read = await Promise.all(readers.map((reader) => reader.call("finish", expected)));
  const cpu = await meter.read();
  return {
    figures: toFigures({ published, read, window, cpu }),
    notes: toNotes(published, read),
    problems: [...(published.problem === undefined ? [] : [published.problem]), ...toProblems(read)],
  };
}

/** Where subscribers read. */
export function liveEndpoint({ liveWs, liveSse }: Session["endpoints"], transport: "ws" | "sse"): Endpoint {
  const endpoint = transport === "ws" ? liveWs : liveSse;
  if (endpoint === undefined) throw new Error(`the target has no ${transport} endpoint to read`);
  return endpoint;
}

/** One ordered connection where the target publishes by WebSocket; by POST 16, as each waits for its answer. */
export function toPublisherJob(
  { endpoints }: Session,
  { publishesPerSec, transport }: Pick<FanOut, "publishesPerSec" | "transport">,
): OpenLoopJob {
  const endpoint = transport === "ws" ? endpoints.publish : endpoints.append;
  if (endpoint === undefined) throw new Error("the target has no endpoint to publish to");
  const flow = endpoint.kind === "ws" ? { lanes: 1, inFlight: 64 } : { lanes: 16, inFlight: 1 };
  return { endpoint, publishesPerSec, ...flow };
}

interface Measured {
  readonly published: OpenLoopResult;
  readonly read: readonly SubscribersResult[];
  readonly window: Window;
  readonly cpu: CpuUse;
}

function toFigures({ published, read, window, cpu }: Measured): Run["figures"] {
  const latency = sumOf(read.map((result) => result.latency));
  const generatorCores = read.reduce((sum, { busy }) => sum + busy, published.busy);
  // A target that keeps up is done a moment after the window ends; one that does not is charged for its delay.
  const lastReadUs = Math.max(window.endUs, ...read.map((result) => result.lastReadUs));
  return {
    perSec: latency.size / ((lastReadUs - window.measuredFromUs) / 1e6),
    p50Ms: latency.percentileMs(0.5),
    p99Ms: latency.percentileMs(0.99),
    cpuUs: cpu.targetUs / latency.size,
    ...coreFigures(cpu, generatorCores),
    lateP99Ms: new Histogram(published.lateness).percentileMs(0.99),
    takenPercent: (100 * totalOf(published.sent)) / published.due,
  };
}

function toNotes({ due, sent }: OpenLoopResult, read: readonly SubscribersResult[]): string[] {
  return [
    ...(totalOf(sent) < due ? ["did not keep up with the publishes"] : []),
    ...(read.some(({ busy }) => busy > GENERATOR_LIMIT) ? ["the load generator was the limit"] : []),
  ];
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function toProblems(read: readonly SubscribersResult[]): string[] {
  const orders = new Set(read.flatMap((result) => result.orders));
  const problems = read.flatMap((result) => result.problems);
  if (orders.size > 1 && problems.length === 0)
    problems.push("subscribers read the same messages in different orders");
  return problems;
}
