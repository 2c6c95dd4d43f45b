import { CLOSED_LOOP_COLUMNS, runClosedLoop } from "./closed-loop.ts";
import type { Scenario } from "./scenario.ts";

/** Durable publishes of clients over WebSocket; each also reads its own room. */
export const publishWs: Scenario = {
  name: "publish-ws",
  describe: () =>
    "WebSocket publishes of 256 B JSON, 16 in flight on each of 16 connections, a room each, all read back",
  targets: ["chanctl", "bare ws loop"],
  columns: CLOSED_LOOP_COLUMNS,
  run: (session) =>
    runClosedLoop(session, {
      endpoint: session.endpoints.publishOwn,
      lanes: 16,
      inFlight: 16,
      processes: 2,
      replay: session.endpoints.replayOwn,
      isOwnStream: true,
    }),
};

/** The same, all in one room: each message goes to every connection. */
export const publishWsOneRoom: Scenario = {
  ...publishWs,
  name: "publish-ws-one-room",
  describe: () =>
    "the same with all 16 connections in one room, so that each publish is also delivered 16 times",
  run: (session) =>
    runClosedLoop(session, {
      endpoint: session.endpoints.publish,
      lanes: 16,
      inFlight: 16,
      processes: 2,
      replay: session.endpoints.replay,
      isOwnStream: false,
    }),
};
