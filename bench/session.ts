import { mkdir, rm } from "node:fs/promises";
import type { LoadCalls, TargetCalls } from "./processes/calls.ts";
import { Child } from "./processes/child.ts";
import type { Run, Scenario, Size } from "./scenarios/scenario.ts";

const TARGET_PROCESS = new URL("target-process.ts", import.meta.url);
const LOAD_PROCESS = new URL("load-process.ts", import.meta.url);

export interface SessionOptions {
  readonly target: string;
  readonly size: Size;
  /** A folder of its own, absolute; made, and removed at the end. */
  readonly folder: string;
  /** Ends the run, and its processes, at once. */
  readonly signal: AbortSignal;
}

/** Runs a scenario on one target: both in processes of their own, fresh for each run, so that none inherits another's heap. */
export async function runOnce(
  scenario: Scenario,
  { target, size, folder, signal }: SessionOptions,
): Promise<Run> {
  await mkdir(folder, { recursive: true });
  const process = new Child<TargetCalls>(TARGET_PROCESS);
  const loads: Child<LoadCalls>[] = [];
  const end = (): void => {
    for (const child of [...loads, process]) void child.close();
  };
  signal.addEventListener("abort", end, { once: true });
  try {
    const endpoints = await process.call("start", { name: target, folder });
    return await scenario.run({
      endpoints,
      folder,
      size,
      cpuUs: () => process.call("cpuUs", null),
      rssBytes: () => process.call("rssBytes", null),
      startLoad: () => {
        const load = new Child<LoadCalls>(LOAD_PROCESS);
        loads.push(load);
        return load;
      },
    });
  } finally {
    await Promise.all(loads.map((load) => load.close()));
    await process.call("stop", null).catch(() => {}); // it may never have started; what it met is on its way up
    await process.close();
    signal.removeEventListener("abort", end);
    await rm(folder, { recursive: true, force: true });
  }
}
