import { once } from "node:events";

/** Resolves when a signal is aborted, at once if it is: to race something against. */
export async function aborted(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, "abort");
}
