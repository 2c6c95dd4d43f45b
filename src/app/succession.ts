import { setTimeout as delay } from "node:timers/promises";
import { aborted } from "./aborted.ts";
import type { RunningApp } from "./running-app.ts";

/** What came of a successor. */
export type Succession =
  /** It listens, and can take over. */
  | { readonly kind: "ready" }
  /** Two cannot run at once: in this line it said so. */
  | { readonly kind: "conflict"; readonly line: string }
  /** Continues a sentence that begins with "the new app": `exited with code 1`. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Nobody wants it any more. */
  | { readonly kind: "cancelled" };

interface SuccessionOptions {
  /** How long it may take to listen, in ms. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until a run of the app that has been started beside another can take over, or cannot. One that cannot has
 * ended when this resolves.
 */
export async function awaitSuccessor(
  successor: RunningApp,
  { withinMs, signal }: SuccessionOptions,
): Promise<Succession> {
  const over = new AbortController();
  const succession = await Promise.race([
    successor.ready.then((): Succession => ({ kind: "ready" })),
    successor.outcome.then(({ reason }): Succession => ({ kind: "failed", reason })),
    delay(withinMs, undefined, { signal: over.signal, ref: false }).then(
      (): Succession => ({ kind: "failed", reason: "did not listen in time" }),
      (): Succession => ({ kind: "cancelled" }),
    ),
    aborted(signal).then((): Succession => ({ kind: "cancelled" })),
  ]);
  over.abort();
  // Also one that listens: what it could not get, the debugger's port or a watcher's, it would never get again.
  const line = successor.conflict;
  const judged: Succession =
    line !== undefined && succession.kind !== "cancelled" ? { kind: "conflict", line } : succession;
  if (judged.kind === "ready") return judged;
  successor.stop();
  await successor.outcome;
  return judged;
}
