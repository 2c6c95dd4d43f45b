import { runClosedLoop } from "./closed-loop.ts";
import type { Scenario } from "./scenario.ts";

/**
 * What goes to the app through the proxy. On a machine with other work the CPU tells more than the rate: both proxies
 * are one thread that is the limit.
 */
export const proxy: Scenario = {
  name: "proxy",
  describe: () => "GET of 256 B from the same app over HTTPS, HTTP/1.1, 64 connections, every answer checked",
  targets: ["chanctl (proxy)", "nginx (1 worker)"],
  columns: [
    { key: "perSec", label: "requests/s", decimals: 0, isCompared: true },
    { key: "p50Ms", label: "p50 ms", decimals: 2 },
    { key: "p99Ms", label: "p99 ms", decimals: 2 },
    { key: "cpuUs", label: "CPU µs each", decimals: 1, isCompared: true },
  ],
  run: (session) =>
    runClosedLoop(session, {
      endpoint: session.endpoints.get,
      lanes: 64,
      inFlight: 1,
      processes: 2,
      replay: undefined,
      isOwnStream: false,
    }),
};
