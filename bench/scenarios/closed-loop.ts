import { nowUs, sleepUntil } from "../load/clock.ts";
import type { Window } from "../load/clock.ts";
import type { ClosedLoopResult } from "../load/closed-loop.ts";
import type { Endpoint } from "../load/endpoint.ts";
import { sumOf } from "../load/histogram.ts";
import { coreFigures, CPU_COLUMNS, CpuMeter } from "./cpu-meter.ts";
import type { CpuUse } from "./cpu-meter.ts";
import { GENERATOR_LIMIT } from "./scenario.ts";
import type { Column, Run, Session, Size } from "./scenario.ts";

/** What the runs of a closed loop are shown by. */
export const CLOSED_LOOP_COLUMNS: readonly Column[] = [
  { key: "perSec", label: "appends/s", decimals: 0, isCompared: true },
  { key: "p50Ms", label: "p50 ms", decimals: 2 },
  { key: "p99Ms", label: "p99 ms", decimals: 2 },
  { key: "cpuUs", label: "CPU µs each", decimals: 1 },
  ...CPU_COLUMNS,
];

export interface ClosedLoopSetup {
  readonly endpoint: Endpoint | undefined;
  /** Publishing connections in all. */
  readonly lanes: number;
  readonly inFlight: number;
  /** Processes that share the connections. */
  readonly processes: number;
  /** Reads back what was stored; absent: the target stores nothing. */
  readonly replay: Endpoint | undefined;
  /** Whether each lane has a stream of its own. */
  readonly isOwnStream: boolean;
}

const LEAD_US = 200_000;

/** The window of a run that is about to begin. */
export function upcomingWindow({ warmupMs, durationMs }: Size): Window {
  const startUs = nowUs() + LEAD_US;
  const measuredFromUs = startUs + warmupMs * 1_000;
  return { startUs, measuredFromUs, endUs: measuredFromUs + durationMs * 1_000 };
}

/** Publishes as fast as the target acknowledges, then reads back that everything acknowledged is there. */
export async function runClosedLoop(session: Session, setup: ClosedLoopSetup): Promise<Run> {
  const { endpoint, lanes, inFlight, processes } = setup;
  if (endpoint === undefined) throw new Error("the target has no endpoint for this scenario");
  const perProcess = lanes / processes;
  const loads = Array.from({ length: processes }, () => session.startLoad());
  await Promise.all(
    loads.map((load, index) =>
      load.call("openClosedLoop", { endpoint, firstLane: index * perProcess, lanes: perProcess, inFlight }),
    ),
  );
  const window = upcomingWindow(session.size);
  const running = Promise.all(loads.map((load) => load.call("runClosedLoop", window)));
  const cpu = await measureCpu(session, window);
  const results = await running;
  return {
    figures: toFigures(results, { window, cpu }),
    notes: results.some(({ busy }) => busy > GENERATOR_LIMIT) ? ["the load generator was the limit"] : [],
    problems: [
      ...results.flatMap(({ problem }) => problem ?? []),
      ...(await readBack(session, setup, results)),
    ],
  };
}

async function measureCpu(session: Session, window: Window): Promise<CpuUse> {
  await sleepUntil(window.measuredFromUs);
  const meter = await CpuMeter.start(session);
  await sleepUntil(window.endUs);
  return meter.read();
}

function toFigures(
  results: readonly ClosedLoopResult[],
  { window, cpu }: { window: Window; cpu: CpuUse },
): Run["figures"] {
  const latency = sumOf(results.map((result) => result.latency));
  const windowSecs = (window.endUs - window.measuredFromUs) / 1e6;
  const generatorCores = results.reduce((sum, { busy }) => sum + busy, 0);
  return {
    perSec: latency.size / windowSecs,
    p50Ms: latency.percentileMs(0.5),
    p99Ms: latency.percentileMs(0.99),
    cpuUs: cpu.targetUs / latency.size,
    ...coreFigures(cpu, generatorCores),
  };
}

async function readBack(
  session: Session,
  { replay, isOwnStream }: ClosedLoopSetup,
  results: readonly ClosedLoopResult[],
): Promise<readonly string[]> {
  if (replay === undefined) return [];
  const stored = results.flatMap(({ acknowledged }) => acknowledged);
  const reader = session.startLoad();
  if (!isOwnStream) return reader.call("replay", { endpoint: replay, stored });
  const problems: string[] = [];
  for (const lane of stored.keys()) {
    const ofLane = stored.map((count, index) => (index === lane ? count : 0));
    problems.push(...(await reader.call("replay", { endpoint: replay, lane, stored: ofLane })));
  }
  return problems;
}
