import { setTimeout as delay } from "node:timers/promises";
import { describePortOwner } from "../platform/describe-port-owner.ts";
import { findListening } from "../platform/find-listening.ts";
import { findPortOwner } from "../platform/port-owner.ts";

const POLL_MS = 500;

/** Who listens on the port that the app is to have. */
export interface PortTaker {
  readonly pid: number;
  /** As a person knows it: `node (pid 812, ~/work/shop)`. */
  readonly description: string;
}

interface WaitOptions {
  /** Called once, if the port is not free; without a taker where it cannot be told. */
  readonly onTaken: (taker: PortTaker | undefined) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits until nobody listens on the port that the app is to have: whoever answers there before it runs would be taken
 * for it. Resolves early if `signal` is aborted.
 */
export async function waitForFreePort(port: number, { onTaken, signal }: WaitOptions): Promise<void> {
  if ((await findListening(port)) === undefined) return;
  const owner = await findPortOwner(port);
  onTaken(owner && { pid: owner.pid, description: await describePortOwner(owner) });
  while (!signal.aborted && (await findListening(port)) !== undefined) {
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
