import { nowUs } from "../load/clock.ts";
import type { Window } from "../load/clock.ts";
import { sumOf } from "../load/histogram.ts";
import type { LoadCalls } from "../processes/calls.ts";
import type { Child } from "../processes/child.ts";
import { liveEndpoint, toPublisherJob } from "./fan-out.ts";
import { GENERATOR_LIMIT } from "./scenario.ts";
import type { Column, Run, Scenario, Session } from "./scenario.ts";

export interface StormSetup {
  readonly name: string;
  readonly transport: "ws" | "sse";
  readonly targets: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { key: "allLiveMs", label: "all live ms", decimals: 0, isCompared: true },
  { key: "p50LiveMs", label: "p50 live ms", decimals: 0 },
  { key: "p50Ms", label: "others p50 ms", decimals: 2 },
  { key: "p99Ms", label: "others p99 ms", decimals: 2, isCompared: true },
  { key: "maxMs", label: "others max ms", decimals: 0 },
];
/** Publishes a second, and so many messages each client has missed when it comes back. */
const PER_SEC = 100;
const STORM_PROCESSES = 2;
/** Subscribers that stay, and are measured. */
const OTHERS = 10;
const LEAD_US = 200_000;
/** How long a stream has been published to when the storm begins, so that its beginning is measured too. */
const HEAD_START_US = 200_000;
const DRAIN_MS = 30_000;

/** Everybody comes back at once, each with an id, while publishing goes on; what that costs those who had stayed. */
export function createStorm({ name, transport, targets }: StormSetup): Scenario {
  return {
    name,
    describe: ({ subscribers, durationMs }) =>
      `${subscribers.toLocaleString("en")} ${transport === "ws" ? "WebSocket" : "SSE"} clients come back at once, each having missed ${PER_SEC} messages of 256 B, while ${PER_SEC} publishes/s go on; ${OTHERS} others who stayed, over ${durationMs / 1_000} s; every message checked`,
    targets,
    columns: COLUMNS,
    run: (session) => runStorm(session, transport),
  };
}

async function runStorm(session: Session, transport: "ws" | "sse"): Promise<Run> {
  const { endpoints, size } = session;
  const endpoint = liveEndpoint(endpoints, transport);
  const job = toPublisherJob(session, { publishesPerSec: PER_SEC, transport });
  const { lanes } = job;
  const [publisher, others] = [session.startLoad(), session.startLoad()];
  const storms = Array.from({ length: STORM_PROCESSES }, () => session.startLoad());
  const clients = size.subscribers / STORM_PROCESSES;
  await Promise.all(storms.map((storm) => storm.call("openStorm", { endpoint, clients, lanes })));
  await others.call("subscribe", { endpoint, subscribers: OTHERS, lanes });
  await publisher.call("openOpenLoop", job);

  // The first second gives everyone an id to come back with, the second is what they miss.
  const first = await publisher.call("runOpenLoop", unmeasured());
  await Promise.all(storms.map((storm) => storm.call("cutStorm", { sent: first.sent })));
  const missed = await publisher.call("runOpenLoop", unmeasured());

  const startUs = nowUs() + LEAD_US;
  const atUs = startUs + HEAD_START_US;
  const window = { startUs, measuredFromUs: atUs, endUs: atUs + size.durationMs * 1_000 };
  const measured = others.call("begin", window);
  const publishing = publisher.call("runOpenLoop", window);
  const back = await Promise.all(storms.map((storm) => storm.call("runStorm", { atUs, sent: missed.sent })));
  const { sent, problem } = await publishing;
  await measured;
  const read = await others.call("finish", { sent, timeoutMs: DRAIN_MS });
  const problems = await finish(storms, sent);

  const liveAfter = sumOf(back.map((result) => result.liveAfter));
  const latency = sumOf([read.latency]);
  return {
    figures: {
      allLiveMs: liveAfter.percentileMs(1),
      p50LiveMs: liveAfter.percentileMs(0.5),
      p50Ms: latency.percentileMs(0.5),
      p99Ms: latency.percentileMs(0.99),
      maxMs: latency.percentileMs(1),
    },
    notes: back.some(({ busy }) => busy > GENERATOR_LIMIT) ? ["the load generator was the limit"] : [],
    problems: [...(problem === undefined ? [] : [problem]), ...read.problems, ...problems],
  };
}

async function finish(storms: readonly Child<LoadCalls>[], sent: readonly number[]): Promise<string[]> {
  const problems = await Promise.all(storms.map((storm) => storm.call("finishStorm", { sent })));
  return problems.flat();
}

/** A second of publishing that counts for nothing. */
function unmeasured(): Window {
  const startUs = nowUs() + LEAD_US;
  const endUs = startUs + 1e6;
  return { startUs, measuredFromUs: endUs, endUs };
}
