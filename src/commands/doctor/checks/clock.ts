import { formatDuration } from "../../../shared/duration.ts";
import type { Check, Verdict } from "../check.ts";

const NOTICED_MS = 60_000;

/** Whether the store has seen a later time than the clock shows. */
export const clock: Check = {
  name: "clock",
  group: "store",
  run: async ({ store }) => judgeClock({ lastTime: (await store).lastTime, now: Date.now() }),
};

/** Both in ms since 1970. The times of messages never go back: until the clock has caught up they stand still. */
export function judgeClock({
  lastTime,
  now,
}: {
  readonly lastTime: number | undefined;
  readonly now: number;
}): Verdict | undefined {
  if (lastTime === undefined) return undefined;
  const aheadMs = lastTime - now;
  if (aheadMs < NOTICED_MS) return { status: "ok", message: "not behind what is stored" };
  return {
    status: "warn",
    message: `the last message is of a time ${formatDuration(aheadMs)} from now: the clock was ahead then, or is behind now`,
    fix: "date     is it right? Messages are kept too long until it has caught up",
  };
}
