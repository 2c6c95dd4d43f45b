/** A process that runs one target, and nothing else: its CPU time is the target's. */
import { cpuUs } from "./load/clock.ts";
import type { TargetCalls } from "./processes/calls.ts";
import { serveCalls } from "./processes/serve-calls.ts";
import { findTarget } from "./targets/catalog.ts";
import type { RunningTarget } from "./targets/target.ts";

let running: RunningTarget | undefined;

serveCalls<TargetCalls>({
  start: async ({ name, folder }) => {
    running = await findTarget(name).start(folder);
    return running.endpoints;
  },
  cpuUs: async () => cpuUs(),
  stop: async () => {
    await running?.close();
    return null;
  },
});
