import { setTimeout as sleep } from "node:timers/promises";

/** The part of a run that counts. Times are of `nowUs`, which all processes of a machine share. */
export interface Window {
  /** When the load begins; until `measuredFromUs` it only warms up. */
  readonly startUs: number;
  readonly measuredFromUs: number;
  /** When the last publish is due. */
  readonly endUs: number;
}

/** The monotonic clock of the machine in µs: the same in every process, and never set back. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1_000);
}

/** Resolves at a time of `nowUs`, at once if it is past. */
export async function sleepUntil(atUs: number, signal?: AbortSignal): Promise<void> {
  const waitMs = (atUs - nowUs()) / 1_000;
  if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
}

/** CPU time that this process has used so far, all its threads together, in µs. */
export function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
