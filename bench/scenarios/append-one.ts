import { measureDiskSync } from "../load/disk-sync.ts";
import { CLOSED_LOOP_COLUMNS, runClosedLoop } from "./closed-loop.ts";
import type { Scenario } from "./scenario.ts";

/** One publisher that waits for each answer: what an append takes when nobody shares its commit. */
export const appendOne: Scenario = {
  name: "append-one",
  describe: () =>
    "POST 256 B JSON, 1 connection; beside it the disk's own fdatasync, just before and just after",
  targets: ["chanctl", "durable-streams (file)"],
  columns: [
    ...CLOSED_LOOP_COLUMNS,
    { key: "diskP50Ms", label: "disk p50 ms", decimals: 2 },
    { key: "overDiskMs", label: "p50 over disk ms", decimals: 2 },
  ],
  run: async (session) => {
    const disk = await measureDiskSync(session.folder, session.size);
    const run = await runClosedLoop(session, {
      endpoint: session.endpoints.append,
      lanes: 1,
      inFlight: 1,
      processes: 1,
      replay: session.endpoints.replay,
      isOwnStream: false,
    });
    disk.add(await measureDiskSync(session.folder, session.size));
    const diskP50Ms = disk.percentileMs(0.5);
    const overDiskMs = (run.figures["p50Ms"] ?? Number.NaN) - diskP50Ms;
    return { ...run, figures: { ...run.figures, diskP50Ms, overDiskMs } };
  },
};
