import { ChanctlError } from "#src/shared/errors.ts";
import { append } from "./append.ts";
import { appendOne } from "./append-one.ts";
import { createFanOut } from "./fan-out.ts";
import { publishWs, publishWsOneRoom } from "./publish-ws.ts";
import { proxy } from "./proxy.ts";
import type { Scenario } from "./scenario.ts";
import { createSlow } from "./slow.ts";
import { createStorm } from "./storm.ts";

const OVER_WS = ["chanctl", "bare ws loop", "socket.io"];
const OVER_SSE = ["chanctl", "durable-streams (file)", "durable-streams (memory)"];

/** All scenarios, in the order they run. */
const SCENARIOS: readonly Scenario[] = [
  append,
  appendOne,
  publishWs,
  publishWsOneRoom,
  createFanOut({ name: "fanout-ws-150", publishesPerSec: 150, transport: "ws", targets: OVER_WS }),
  createFanOut({ name: "fanout-ws-500", publishesPerSec: 500, transport: "ws", targets: OVER_WS }),
  createFanOut({ name: "fanout-sse-150", publishesPerSec: 150, transport: "sse", targets: OVER_SSE }),
  createFanOut({ name: "fanout-sse-500", publishesPerSec: 500, transport: "sse", targets: OVER_SSE }),
  createStorm({ name: "storm-ws", transport: "ws", targets: ["chanctl"] }),
  createStorm({ name: "storm-sse", transport: "sse", targets: OVER_SSE }),
  createSlow({ name: "slow-ws", transport: "ws", targets: OVER_WS }),
  createSlow({ name: "slow-sse", transport: "sse", targets: OVER_SSE }),
  proxy,
];

/** What the short form measures: one of each kind. */
const QUICK: ReadonlySet<string> = new Set([
  "append",
  "append-one",
  "publish-ws",
  "fanout-ws-500",
  "fanout-sse-150",
  "storm-sse",
  "slow-sse",
  "proxy",
]);

/**
 * The scenarios whose names begin with one of `only`; without one, all, or the few of the short form.
 *
 * @throws {ChanctlError} `usage` if there is none.
 */
export function selectScenarios({
  only,
  isQuick,
}: {
  only: readonly string[];
  isQuick: boolean;
}): Scenario[] {
  for (const begin of only) {
    if (SCENARIOS.some(({ name }) => name.startsWith(begin))) continue;
    throw new ChanctlError("usage", `no scenario's name begins with \`${begin}\``, {
      hint: `the scenarios are ${SCENARIOS.map(({ name }) => name).join(", ")}`,
    });
  }
  if (only.length > 0) return SCENARIOS.filter(({ name }) => only.some((begin) => name.startsWith(begin)));
  return SCENARIOS.filter(({ name }) => !isQuick || QUICK.has(name));
}
