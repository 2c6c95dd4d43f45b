import type { Window } from "../load/clock.ts";
import type { ClosedLoopJob, ClosedLoopResult } from "../load/closed-loop.ts";
import type { OpenLoopJob, OpenLoopResult } from "../load/open-loop.ts";
import type { ReplayJob } from "../load/replay.ts";
import type { SubscribersJob, SubscribersResult } from "../load/subscribers.ts";
import type { Endpoints } from "../targets/target.ts";

/** What one process asks of another: for each call, what is given and what comes back. */
export type CallTable<Calls> = {
  readonly [Name in keyof Calls]: { readonly given: unknown; readonly answer: unknown };
};

/** A process that runs a target. */
export interface TargetCalls {
  start: { given: { readonly name: string; readonly folder: string }; answer: Endpoints };
  /** CPU time that the target has used so far. */
  cpuUs: { given: null; answer: number };
  stop: { given: null; answer: null };
}

/** A process that makes load: one job, opened and then run. */
export interface LoadCalls {
  openClosedLoop: { given: ClosedLoopJob; answer: null };
  runClosedLoop: { given: Window; answer: ClosedLoopResult };
  openOpenLoop: { given: OpenLoopJob; answer: null };
  runOpenLoop: { given: Window; answer: OpenLoopResult };
  subscribe: { given: SubscribersJob; answer: null };
  begin: { given: Window; answer: null };
  finish: {
    given: { readonly sent: readonly number[]; readonly timeoutMs: number };
    answer: SubscribersResult;
  };
  replay: { given: ReplayJob; answer: readonly string[] };
}
