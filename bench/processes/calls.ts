import type { Window } from "../load/clock.ts";
import type { ClosedLoopJob, ClosedLoopResult } from "../load/closed-loop.ts";
import type { OpenLoopJob, OpenLoopResult } from "../load/open-loop.ts";
import type { ReplayJob } from "../load/replay.ts";
import type { StormJob, StormResult } from "../load/storm.ts";
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
  /** What it holds of the machine's memory after a garbage collection, in bytes. */
  rssBytes: { given: null; answer: number };
  stop: { given: null; answer: null };
}

/** A process that makes load: one job, opened and then run. */
export interface LoadCalls {
  openClosedLoop: { given: ClosedLoopJob; answer: null };
  runClosedLoop: { given: Window; answer: ClosedLoopResult };
  openOpenLoop: { given: OpenLoopJob; answer: null };
  runOpenLoop: { given: Window; answer: OpenLoopResult };
  subscribe: { given: SubscribersJob; answer: null };
  pause: { given: null; answer: null };
  resume: { given: null; answer: null };
  begin: { given: Window; answer: null };
  finish: {
    given: { readonly sent: readonly number[]; readonly timeoutMs: number };
    answer: SubscribersResult;
  };
  openStorm: { given: StormJob; answer: null };
  /** Waits until everyone has read this many messages of each lane, and cuts everyone off. */
  cutStorm: { given: { readonly sent: readonly number[] }; answer: null };
  /** Brings everyone back at once, at a time of `nowUs`, and waits until each has read what was sent. */
  runStorm: { given: { readonly atUs: number; readonly sent: readonly number[] }; answer: StormResult };
  /** What is wrong with what was read, given how many messages each lane has sent. */
  finishStorm: { given: { readonly sent: readonly number[] }; answer: readonly string[] };
  replay: { given: ReplayJob; answer: readonly string[] };
}
