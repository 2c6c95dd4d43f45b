import { join } from "node:path";

import { findLockHolder } from "../../../platform/lock-holder.ts";
import type { Check, Scene, Verdict } from "../check.ts";

/** Who has the store. */
export const storeLock: Check = {
  name: "lock",
  group: "store",
  run: async ({ store, run, stateFolder }) => {
    const { isHeld } = await store;
    if (isHeld === undefined) return undefined;
    const holder = isHeld ? findLockHolder(join(stateFolder, "lock.sqlite")) : undefined;
    return judgeLock({ isHeld, holder, run });
  },
};

interface LockFacts {
  readonly isHeld: boolean;
  /** The id of the process that has it; `undefined` where it cannot be seen. */
  readonly holder: number | undefined;
  readonly run: Pick<NonNullable<Scene["run"]>, "pid" | "isAlive"> | undefined;
}

export function judgeLock({ isHeld, holder, run }: LockFacts): Verdict {
  const isRunning = run?.isAlive === true;
  if (!isHeld && isRunning) {
    return {
      status: "warn",
      message: `run.json says that pid ${run.pid} runs, and nobody has the store: it is ending, or another program has its number`,
    };
  }
  if (!isHeld) return { status: "ok", message: "free" };
  const owner = holder ?? (isRunning ? run.pid : undefined);
  const who = owner === undefined ? "a process that cannot be seen" : `pid ${owner}`;
  if (isRunning && owner === run.pid) return { status: "ok", message: `held by ${who}, which runs here` };
  return {
    status: "warn",
    message: `held by ${who}, which run.json does not name: it is starting or ending, or was left behind`,
    fix: owner === undefined ? "fuser .chanctl/lock.sqlite" : `kill ${owner}     if it should not run`,
  };
}
