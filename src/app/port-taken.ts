import type { PortTaker } from "./free-port-wait.ts";

/** What is told of an app whose port another program has. */
export interface PortTaken {
  readonly message: string;
  /** How to go on, one way a line. */
  readonly hint: string;
}

/** Says who has the port that the app must have, as far as that can be told, and how to go on. */
export function describePortTaken(port: number, taker: PortTaker | undefined): PortTaken {
  const by = taker === undefined ? "" : ` by ${taker.description}`;
  const kill = taker === undefined ? [] : [`${`kill ${taker.pid}`.padEnd(24)} stop that one`];
  const another = `${"--app-port 0".padEnd(24)} pick a free port, if its command line names none`;
  return {
    message: `the app must have port ${port}, which is in use${by}; it starts as soon as the port is free`,
    hint: [...kill, another].join("\n"),
  };
}
