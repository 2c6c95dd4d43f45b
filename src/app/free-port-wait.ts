import { setTimeout as delay } from "node:timers/promises";
import { describePortOwner } from "../platform/describe-port-owner.ts";
import { findListening } from "../platform/find-listening.ts";
import { isAlive } from "../platform/is-alive.ts";
import { findPortOwner } from "../platform/port-owner.ts";

const POLL_MS = 500;

/** Who listens on the port that the app is to have. */
export interface PortTaker {
  readonly pid: number;
  /** As a person knows it: `node (pid 812, ~/work/shop)`. */
  readonly description: string;
}

interface WaitOptions {
  /** Called if the port is not free, without a taker where it cannot be told; again where another has taken it over. */
  readonly onTaken: (taker: PortTaker | undefined) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits until nobody listens on the port that the app is to have: whoever answers there before it runs would be taken
 * for it. Resolves early if `signal` is aborted.
 */
export async function waitForFreePort(port: number, { onTaken, signal }: WaitOptions): Promise<void> {
  if ((await findListening(port)) === undefined) return;
  let taker = await findTaker(port);
  if (!signal.aborted) onTaken(taker);
  while (!signal.aborted && (await findListening(port)) !== undefined) {
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted || taker === undefined || isAlive(taker.pid)) continue;
    const next = await findTaker(port);
    if (next === undefined || signal.aborted) continue; // nobody: it is free
    taker = next;
    onTaken(taker);
  }
}

async function findTaker(port: number): Promise<PortTaker | undefined> {
  const owner = await findPortOwner(port);
  return owner && { pid: owner.pid, description: await describePortOwner(owner) };
}
