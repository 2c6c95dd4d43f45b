import { CLOSED_LOOP_COLUMNS, runClosedLoop } from "./closed-loop.ts";
import type { Scenario } from "./scenario.ts";

/** Durable appends over HTTP, as many as 64 waiting publishers can make. */
export const append: Scenario = {
  name: "append",
  describe: () => "POST 256 B JSON, 64 connections, one stream, acknowledged when stored, all read back",
  targets: ["chanctl", "empty node:http", "durable-streams (file)", "durable-streams (memory)"],
  columns: CLOSED_LOOP_COLUMNS,
  run: (session) =>
    runClosedLoop(session, {
      endpoint: session.endpoints.append,
      lanes: 64,
      inFlight: 1,
      processes: 2,
      replay: session.endpoints.replay,
      isOwnStream: false,
    }),
};
