/** A process that runs one target, and nothing else: its CPU time is the target's. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { cpuUs } from "./load/clock.ts";
import type { TargetCalls } from "./processes/calls.ts";
import { serveCalls } from "./processes/serve-calls.ts";
import { findTarget } from "./targets/catalog.ts";
import type { RunningTarget } from "./targets/target.ts";

let running: RunningTarget | undefined;

/** As `--expose-gc` would give it, which this process was not started with. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
}

serveCalls<TargetCalls>({
  start: async ({ name, folder }) => {
    running = await findTarget(name).start(folder);
    return running.endpoints;
  },
  rssBytes: async () => {
    collectGarbage();
    return process.memoryUsage.rss();
  },
  cpuUs: async () => (await running?.cpuUs?.()) ?? cpuUs(),
  stop: async () => {
    await running?.close();
    return null;
  },
});
